"""Whether a spec makes sense: what its shape alone does not show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from forerun.speculation.canonical import canonical, canonical_json
from forerun.speculation.equivalence import CANONICAL_JSON
from forerun.speculation.quantities import ONE, text
from forerun.workflows.graph import Graph
from forerun.workflows.spec_errors import SpecError, at, closest, shown
from forerun.workflows.spec_guesses import ModelGuess, NodeGuess, StreamGuess, ValueGuess
from forerun.workflows.spec_model import Spec
from forerun.workflows.spec_nodes import EffectNode, ModelNode, NodeSpec, ToolNode
from forerun.workflows.spec_schemas import Schemas

TEMPLATE_WORDS = frozenset(
    {"true", "false", "none", "not", "and", "or", "in", "is", "if", "else", "loop"}
)
RESERVED = frozenset({"input", "item", "index"}) | TEMPLATE_WORDS


def check_nodes(spec: Spec) -> None:
    """Check each node by itself.

    Raises:
        SpecError: the first node that makes no sense.
    """
    schemas = Schemas()
    for name, node in spec.nodes.items():
        path = at("nodes", name)
        if name in RESERVED:
            raise SpecError(path, shown(name), f"the name {shown(name)} is reserved", "rename it")
        if node.for_each is None and "concurrency" in node.model_fields_set:
            here = at(path, "concurrency")
            raise _refused(here, node.concurrency, "needs for_each", "leave it out")
        if isinstance(node, ModelNode):
            _check_output(node, path, schemas)
        _check_equivalence(node, path)
        _check_guesses(node, path, schemas)


def check_guessed_nodes(spec: Spec, graph: Graph) -> None:
    """Check that each `node` guess can be made before the node that it is about has answered.

    Raises:
        SpecError: it names nothing that could.
    """
    for name, node in spec.nodes.items():
        check_guessed_node(name, node, graph)


def check_guessed_node(name: str, node: NodeSpec, graph: Graph) -> None:
    """Check one node's `node` guesses; raises SpecError like `check_guessed_nodes`."""
    for index, guess in enumerate(node.guess):
        if isinstance(guess, NodeGuess):
            _check_guessed_node(name, guess.node, graph, at("nodes", name, "guess", index))


def unsupported_features(spec: Spec) -> SpecError | None:
    """The first thing in `spec` that this version parses but cannot run yet."""
    for name, node in spec.nodes.items():
        for index, guess in enumerate(node.guess):
            if guess.source in ("history", "pattern"):
                return _later(at("nodes", name, "guess", index, "from"), guess.source)
    return None


def _later(path: str, value: Any) -> SpecError:
    return _refused(path, value, "is not supported by this version of forerun yet", "leave it out")


def _refused(path: str, value: Any, problem: str, fix: str) -> SpecError:
    return SpecError(path, shown(value), f"{shown(value)} {problem}", fix)


def _check_equivalence(node: NodeSpec, path: str) -> None:
    """Beyond canonical JSON only free text is compared: nearly the right choice is the wrong one."""
    if node.equivalence <= CANONICAL_JSON:
        return
    if isinstance(node, ModelNode) and not node.for_each:
        if node.choices is None and node.output_schema is None:
            return
        answers = "one of its choices" if node.choices else "JSON of its schema"
    else:
        answers = "a list" if node.for_each else f"with what the {node.kind} returns"
    problem = f"is only for a model that answers in free text, and this node answers {answers}"
    raise _refused(at(path, "equivalence"), node.equivalence, problem, "leave it out, or write 1")


def _check_output(node: ModelNode, path: str, schemas: Schemas) -> None:
    if node.choices is not None and node.output_schema is not None:
        raise SpecError(path, "", "has both 'choices' and 'schema'", "keep one of them")
    if node.output_schema is not None:
        schemas.check(node.output_schema, at(path, "schema"))
    seen = set[str]()
    for index, choice in enumerate(node.choices or ()):
        if choice in seen:
            raise _refused(at(path, "choices", index), choice, "is there twice", "keep one")
        seen.add(choice)


def _check_guesses(node: NodeSpec, path: str, schemas: Schemas) -> None:
    total, seen = Decimal(0), set[str]()
    for index, guess in enumerate(node.guess):
        here = at(path, "guess", index)
        _check_source(node, index, here, schemas)
        said = canonical_json(guess.model_dump(mode="json", exclude={"p"}))
        if said in seen:
            fix = "keep one of them, with the sum of both p"
            raise SpecError(
                here,
                shown(guess.source),
                f"the same {shown(guess.source)} guess is there twice",
                fix,
            )
        seen.add(said)
        # What comes of the call itself has a value nobody knows yet, perhaps that of another guess.
        if not isinstance(guess, StreamGuess | ModelGuess):
            total += guess.p or 0
        if total > ONE:
            problem = f"with {guess.p} all p up to here sum to {text(total)}, more than 1"
            fix = "lower them: guesses for one node exclude each other"
            raise SpecError(at(here, "p"), str(guess.p), problem, fix)


def _check_source(node: NodeSpec, index: int, path: str, schemas: Schemas) -> None:
    guess = node.guess[index]
    match guess, node:
        case ValueGuess(), ModelNode(for_each=None):
            _check_value(node, guess.value, at(path, "value"), schemas)
        case ModelGuess() | StreamGuess(), ModelNode() if node.for_each is not None:
            fix = "use value or node: they predict the whole list"
            raise _refused(at(path, "from"), guess.source, "predicts one answer, not a list", fix)
        case StreamGuess(), ModelNode():
            _check_stream(node, index, guess.field, path)
        case ModelGuess() | StreamGuess(), ToolNode() | EffectNode():
            fix = "use value, node, history or pattern"
            raise _refused(at(path, "from"), guess.source, "only predicts model nodes", fix)
        case _:
            pass


def _check_value(node: ModelNode, value: Any, path: str, schemas: Schemas) -> None:
    if node.choices is not None:
        if value not in node.choices:
            choices = ", ".join(node.choices)
            fix = closest(value, node.choices, "guess one of them, or add it to them")
            raise _refused(path, value, f"is not one of the choices {shown(choices)}", fix)
    elif node.output_schema is not None:
        problem = schemas.problem(node.output_schema, value)
        if problem:
            raise _refused(path, value, problem, "guess what the schema allows, or change it")
    elif not isinstance(value, str):
        fix = "guess a text, or give the node a schema"
        raise _refused(path, value, "is not text, and without a schema the output is", fix)


def _check_stream(node: ModelNode, index: int, field: str | None, path: str) -> None:
    kinds = (node.output_schema or {}).get("type", "object")
    if not node.choices and (node.output_schema is None or "object" not in kinds):
        problem = "needs choices or the schema of an object: nothing else is certain before its end"
        raise _refused(at(path, "from"), "stream", problem, "add one, or use another source")
    if any(isinstance(guess, StreamGuess) for guess in node.guess[:index]):
        fix = "keep one: without 'field' it follows every field"
        raise _refused(at(path, "from"), "stream", "is there twice", fix)
    if field is None:
        return
    here = at(path, "field")
    if node.output_schema is None:
        raise _refused(here, field, "is a field, and a choice has none", "leave it out")
    known = list(canonical(node.output_schema.get("properties", {})))
    if known and field not in known:
        fix = closest(field, known, "name one of them, or leave it out")
        raise _refused(here, field, "is none of the properties of the schema", fix)


def _check_guessed_node(name: str, other: str, graph: Graph, path: str) -> None:
    here = at(path, "node")
    if other not in graph.nodes:
        fix = closest(other, list(graph.nodes), "name a node of this spec")
        raise SpecError(here, shown(other), f"unknown node {shown(other)}", fix)
    if other == name or (name in graph.nodes and graph.needs(other, name)):
        fix = "name a node that has its output earlier, such as an upstream"
        raise _refused(here, other, f"only has an output once {shown(name)} has one", fix)
    if graph.nodes[other].effect:
        raise _refused(here, other, "is an effect, its receipt predicts nothing", "name another")
