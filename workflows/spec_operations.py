"""Whether a spec fits the operations that are registered: by name, kind and arguments.

Apart from `parse_spec`, because operations live in workers: only once a worker has shown its cards
can a run tell. Arguments that are templates are checked when they are rendered, by the operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from forerun.activities.operation import OperationCard
from forerun.workflows.spec_errors import SpecError, at, closest, shown
from forerun.workflows.spec_model import Spec
from forerun.workflows.spec_nodes import EffectNode, ModelNode, NodeSpec, ToolNode
from forerun.workflows.spec_schemas import Schemas
from forerun.workflows.templates import is_constant


def check_operations(
    spec: Spec, cards: Mapping[str, OperationCard], known: Iterable[str] = ()
) -> None:
    """Check every tool and effect of `spec` against the cards of the operations that it names.

    `known` are the names of all operations there are, for suggestions; those of `cards` if empty.

    Raises:
        SpecError: an operation is unknown, of the wrong kind, or has other arguments.
    """
    schemas = Schemas()
    for name, node in spec.nodes.items():
        check_operation(name, node, cards, known, schemas, constants=True)


def check_operation(
    name: str,
    node: NodeSpec,
    cards: Mapping[str, OperationCard],
    known: Iterable[str],
    schemas: Schemas,
    *,
    constants: bool,
) -> None:
    """Check one node; its arguments only if they are `constants` or templates, not a function.

    Raises:
        SpecError: see `check_operations`.
    """
    if isinstance(node, ModelNode):
        return
    path, operation = at("nodes", name), node.operation
    card = cards.get(operation)
    if card is None:
        names = sorted(known) or sorted(cards)
        fix = closest(operation, names, f"use one of {', '.join(names)}")
        problem = f"unknown operation {shown(operation)}"
        raise SpecError(at(path, node.kind), shown(operation), problem, fix)
    _check_kind(node, card, path)
    if constants:
        _check_arguments(node.args, card, at(path, "args"), schemas)


def _check_kind(node: ToolNode | EffectNode, card: OperationCard, path: str) -> None:
    needed, by = ("tool", "a tool") if card.effect.is_tool else ("effect", "an effect")
    if node.kind != needed:
        problem = f"{shown(card.name)} is {card.effect.value}: only {by} node may name it"
        fix = f'write "{needed}": "{card.name}"'
        raise SpecError(at(path, node.kind), shown(card.name), problem, fix)


def _check_arguments(
    args: Mapping[str, Any], card: OperationCard, path: str, schemas: Schemas
) -> None:
    properties = cast("dict[str, Any]", card.arguments.get("properties", {}))
    closed = card.arguments.get("additionalProperties") is False
    for key, value in args.items():
        here = at(path, key)
        if key in properties:
            _check_constant(value, card, key, here, schemas)
        elif closed:
            fix = closest(key, list(properties), f"use {', '.join(properties) or 'none'}")
            problem = f"unknown argument {shown(key)} of {card.name}"
            raise SpecError(here, shown(key), problem, fix)
    for key in card.arguments.get("required", ()):
        if key not in args:
            problem = f"the argument {shown(key)} of {card.name} is missing"
            raise SpecError(at(path, key), shown(key), problem, "add it")


def _check_constant(value: Any, card: OperationCard, key: str, path: str, schemas: Schemas) -> None:
    """A constant is checked now; its schema may refer to definitions beside the properties."""
    if not is_constant(value):
        return
    definitions = {k: v for k, v in card.arguments.items() if k in ("$defs", "definitions")}
    problem = schemas.problem({**definitions, **card.arguments["properties"][key]}, value)
    if problem:
        fix = f"give what {card.name} takes"
        raise SpecError(path, shown(value), f"{shown(value)} {problem}", fix)
