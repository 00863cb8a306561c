"""Declaring an operation: a decorator that attaches a card to a function, and nothing else.

    class Ticket(Arguments):
        number: int

    @operation("tickets.get", version="1", effect=EffectClass.READ, usd="0.002", seconds=0.4)
    async def get_ticket(arguments: Ticket) -> dict[str, Any]: ...

    @operation("tickets.close", version="1", effect=EffectClass.IRREVERSIBLE)
    async def close_ticket(arguments: Ticket, commit: Commit) -> dict[str, Any]: ...

No list is kept: an operation exists for a worker only once that worker's `Registry` holds it. One
that needs configuration is a method of an object that holds it. The effect class is declared here,
in code, and nothing in a run's input can weaken it. The annotations are promises too: arguments are
checked before the function runs, and what it returns is checked before anybody sees it.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticSchemaGenerationError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from forerun.activities.argument_paths import check_paths
from forerun.activities.operation import OperationCard
from forerun.speculation.disclosure import ALLOW, Disclosure
from forerun.speculation.effect_class import Approval, EffectClass
from forerun.speculation.quantities import ZERO, number

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class Arguments(BaseModel):
    """The arguments of an operation: subclass it. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What an effect is told besides its arguments: the one commit that it performs.

    `idempotency_key` is the same for every attempt, and after a reset: the effect may happen once
    per key. `digest` is that of the arguments; the same key with another digest is an error.
    `approved_by` names everybody who approved it, `"auto"` where nobody was asked.
    """

    idempotency_key: str
    digest: str
    intent: str
    workflow_id: str
    run_id: str
    approved_by: str


class RegistrationError(Exception):
    """An operation is declared wrongly: the message names the function, the rule and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What `operation` attaches to a function; `where` is the function's full name."""

    card: OperationCard
    model: type[BaseModel]
    result: TypeAdapter[Any]
    where: str


def operation(
    name: str,
    *,
    version: str,
    effect: EffectClass,
    usd: Decimal | int | str = "0",
    seconds: float = 1.0,
    max_age_seconds: float = 60.0,
    timeout_seconds: float = 60.0,
    approval: Approval = Approval.REQUIRED,
    approvals: int = 1,
    disclosure: Disclosure = ALLOW,
) -> Callable[[F], F]:
    """Declare the decorated async function as the operation `name`, such as `kb.search`.

    A tool takes its arguments and returns JSON data or a model; an effect takes its arguments and a
    `Commit` and returns an object. A `STAGEABLE` effect needs three functions more, see
    `activities.stageable`. `usd` is dollars per call, `seconds` the expected duration (of a
    stageable effect: of its staging), `timeout_seconds` the limit of one attempt.
    `max_age_seconds` matters for a `READ`. `approval` and `approvals`, the number of different
    people who must approve, are for effects: `AUTO` here is the only way to an effect that nobody
    is asked about. `disclosure` says what may be sent on a guess.

    Raises:
        RegistrationError: when the function is decorated, so when its module is imported.
    """

    def declare(function: F) -> F:
        where = f"{function.__module__}.{function.__qualname__}"
        try:
            model, result = _arguments_model(function, effect), _result(function, effect)
            schema = _schema(TypeAdapter(model), "take")
            card = OperationCard(
                name=_name(name),
                version=_version(version),
                effect=effect,
                arguments=schema,
                usd=_usd(usd),
                seconds=_duration("seconds", seconds),
                max_age_seconds=_duration("max_age_seconds", max_age_seconds),
                timeout_seconds=_duration("timeout_seconds", timeout_seconds),
                approval=_approval(approval, effect),
                approvals=_approvals(approvals, approval, effect),
                disclosure=_disclosure(disclosure, effect, schema),
            )
        except ValueError as error:
            raise RegistrationError(f"operation {name!r:.80} ({where}): {error}") from error
        setattr(
            function, _ATTRIBUTE, Declaration(card=card, model=model, result=result, where=where)
        )
        return function

    return declare


def declaration_of(candidate: object) -> Declaration | None:
    """What `operation` declared of a function or a bound method; None for anything else."""
    found = getattr(candidate, _ATTRIBUTE, None)
    return found if isinstance(found, Declaration) else None


_ATTRIBUTE = "__forerun_operation__"
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


def _arguments_model(function: Callable[..., Any], effect: EffectClass) -> type[BaseModel]:
    if not inspect.iscoroutinefunction(function):
        raise ValueError("is not async: declare it with `async def`")
    expected = "(arguments)" if effect.is_tool else "(arguments, commit: Commit)"
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    if len(parameters) != (1 if effect.is_tool else 2):
        got = f"({', '.join(parameters)})"
        raise ValueError(f"takes {got}, but a {effect} operation takes {expected}")
    hints = _hints(function)
    if not effect.is_tool and hints.get(parameters[1]) is not Commit:
        raise ValueError(f"{parameters[1]!r} must be annotated with Commit")
    return _forbidding(parameters[0], hints.get(parameters[0]))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        raise ValueError(f"{error}: annotations must be names of its module") from error


def _result(function: Callable[..., Any], effect: EffectClass) -> TypeAdapter[Any]:
    hints = _hints(function)
    if "return" not in hints:
        raise ValueError("says nothing of its result: annotate it, with Any for any JSON")
    try:
        result: TypeAdapter[Any] = TypeAdapter(hints["return"])
    except PydanticSchemaGenerationError:
        raise ValueError(f"cannot return {hints['return']!r:.80}: that is no JSON") from None
    schema = _schema(result, "return")
    if not (effect.is_tool or schema.get("type") == "object" or "$ref" in schema):
        raise ValueError("an effect returns a JSON object: annotate a model or dict[str, Any]")
    return result


def _schema(adapter: TypeAdapter[Any], verb: str) -> dict[str, Any]:
    try:
        return adapter.json_schema()
    except PydanticInvalidForJsonSchema as error:
        raise ValueError(f"cannot {verb} what is no JSON: {error.message}") from None


def _forbidding(parameter: str, model: Any) -> type[BaseModel]:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise ValueError(f"{parameter!r} must be annotated with a subclass of Arguments")
    if model.model_config.get("extra") != "forbid":
        raise ValueError(f"{model.__name__} takes unknown keys: derive it from Arguments")
    return model


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("the name must be lower-case words joined by dots, like kb.search")
    return name


def _version(version: str) -> str:
    if not version.strip():
        raise ValueError('the version must not be empty: start with "1"')
    return version


def _usd(usd: Decimal | int | str) -> Decimal:
    dollars = number(usd)
    if dollars < ZERO:
        raise ValueError(f"usd must be at least 0, got {usd!r}")
    return dollars


def _duration(name: str, seconds: float) -> float:
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"{name} must be a positive number of seconds, got {seconds!r}")
    return float(seconds)


def _approval(approval: Approval, effect: EffectClass) -> Approval:
    if effect.is_tool and approval is not Approval.REQUIRED:
        raise ValueError(f"a {effect} operation passes no gate: leave approval out")
    return approval


def _approvals(approvals: int, approval: Approval, effect: EffectClass) -> int:
    if approvals < 1:
        raise ValueError(f"approvals must be at least 1, got {approvals!r}")
    if approvals > 1 and (effect.is_tool or approval is Approval.AUTO):
        raise ValueError("nobody is asked to approve it: leave approvals out")
    return approvals


def _disclosure(policy: Disclosure, effect: EffectClass, schema: dict[str, Any]) -> Disclosure:
    if effect is EffectClass.IRREVERSIBLE and policy != ALLOW:
        raise ValueError("an irreversible effect never runs on a guess: leave disclosure out")
    check_paths(policy, schema)
    return policy
