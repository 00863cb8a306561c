"""Steps: the nodes that a workflow of a user's own declares, in the words of a spec.

Where a spec has templates, a step has plain values, or functions of the outputs of the steps it is
declared with. Values are never taken for templates: they may hold anything that came from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Protocol, TypedDict

from forerun.speculation.canonical import canonical
from forerun.workflows.filling import Filled, Filling, ModelCall
from forerun.workflows.functions import Function, FunctionArguments
from forerun.workflows.node import Node
from forerun.workflows.spec_checks import check_nodes
from forerun.workflows.spec_errors import SpecError, at, validated
from forerun.workflows.spec_model import Spec
from forerun.workflows.spec_nodes import ModelNode, NodeSpec
from forerun.workflows.templates import Arguments, Template


class StepOptions(TypedDict, total=False):
    """What every step may be told, as in a spec (design 5)."""

    guess: Sequence[Mapping[str, Any]]
    speculate: bool
    equivalence: int
    timeout_seconds: float
    retries: int
    estimate: Mapping[str, Any]


class ModelOptions(StepOptions, total=False):
    """What a model step may be told beside its prompt. `system` is plain text here."""

    system: str
    choices: Sequence[str]
    schema: Mapping[str, Any]
    max_output_tokens: int
    temperature: float


class EffectOptions(TypedDict, total=False):
    """What an effect may be told."""

    approval_timeout_seconds: float


class Outcomes(Protocol):
    """Where a step's end is waited for."""

    async def output_of(self, name: str) -> Any:
        """The output of a step, once it has ended."""


class Step:
    """A declared step. Awaited, it is its output; passed to another step, an input of that one.

    A step that was skipped is None. One that failed raises `ApplicationError`. An effect is an
    object: `{"state": "committed|rejected|expired", "by", "receipt"}`.
    """

    def __init__(self, name: str, outcomes: Outcomes) -> None:
        self.name = name
        self._outcomes = outcomes

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._outcomes.output_of(self.name).__await__()


def model_node(
    name: str,
    model: str,
    prompt: str | Callable[..., str],
    of: tuple[str, ...],
    when: Callable[..., bool] | None,
    options: ModelOptions,
) -> Node:
    """The node of a model step.

    Raises:
        SpecError: its name or one of its options is no good.
    """
    said = "(a function)" if callable(prompt) else prompt
    spec = _checked(name, {"model": model, "prompt": said, **options})
    assert isinstance(spec, ModelNode)
    system = None
    if spec.system is not None:
        system = Template(path=_path(name, "system"), text=spec.system)
    call = ModelCall(spec=spec, prompt=_text(prompt, _path(name, "prompt"), of), system=system)
    return _node(name, spec, call, of, when)


def tool_node(
    name: str,
    tool: str,
    args: Mapping[str, Any] | Callable[..., Mapping[str, Any]],
    of: tuple[str, ...],
    when: Callable[..., bool] | None,
    options: StepOptions,
) -> Node:
    """The node of a tool step; raises SpecError."""
    call = _arguments(name, args, of)
    spec = _checked(name, {"tool": tool, "args": _said(call), **options})
    return _node(name, spec, call, of, when)


def effect_node(
    name: str,
    effect: str,
    args: Mapping[str, Any] | Callable[..., Mapping[str, Any]],
    of: tuple[str, ...],
    when: Callable[..., bool] | None,
    options: EffectOptions,
) -> Node:
    """The node of an effect; raises SpecError."""
    call = _arguments(name, args, of)
    spec = _checked(name, {"effect": effect, "args": _said(call), **options})
    return _node(name, spec, call, of, when)


def _node(
    name: str,
    spec: NodeSpec,
    call: Filled,
    of: tuple[str, ...],
    when: Callable[..., bool] | None,
) -> Node:
    condition = None
    if when is not None:
        condition = Function(path=_path(name, "when"), function=when, references=of)
    return Node(name=name, spec=spec, upstream=tuple(dict.fromkeys(of)), call=call, when=condition)


def _text(prompt: str | Callable[..., str], path: str, of: tuple[str, ...]) -> Filling:
    if callable(prompt):
        return Function(path=path, function=prompt, references=of)
    return Template(path=path, text=prompt)


def _arguments(
    name: str, args: Mapping[str, Any] | Callable[..., Mapping[str, Any]], of: tuple[str, ...]
) -> Arguments | FunctionArguments:
    path = _path(name, "args")
    if callable(args):
        return FunctionArguments(function=Function(path=path, function=args, references=of))
    try:
        # A copy: until the call is planned, the workflow may put its own values to other use.
        return Arguments(path=path, templates=(), tree=canonical(dict(args)))
    except ValueError as error:
        fix = "give JSON values, or a function of the steps that it is declared on"
        raise SpecError(path, "", str(error), fix) from None


def _said(call: Arguments | FunctionArguments) -> Any:
    """The arguments as far as they are known when the step is declared."""
    return call.tree if isinstance(call, Arguments) else {}


def _checked(name: str, raw: dict[str, Any]) -> NodeSpec:
    """A step is what the one node of a spec is: the same keys, checks and complaints."""
    spec = validated(Spec, {"version": 1, "nodes": {name: raw}})
    check_nodes(spec)
    return spec.nodes[name]


def _path(name: str, key: str) -> str:
    return at("nodes", name, key)
