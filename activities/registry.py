"""The operations of one worker, by name.

A worker asked for an operation it lacks fails that attempt, not the call: during a rollout another
worker on the same queue may have it.
"""

from __future__ import annotations

import inspect
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from temporalio.exceptions import ApplicationError

from forerun.activities.call_result import MAX_OUTPUT_BYTES
from forerun.activities.operation import OperationCard
from forerun.activities.registration import RegistrationError, declaration_of
from forerun.activities.stageable import Staging, staging_of
from forerun.speculation.canonical import canonical, canonical_json
from forerun.speculation.effect_class import EffectClass

OPERATION_MISSING = "OperationMissing"
WRONG_KIND = "WrongKindOfOperation"
INVALID_ARGUMENTS = "InvalidArguments"
INVALID_OUTPUT = "InvalidOutput"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A registered operation: its card and the code that runs it; `staging` if it is stageable."""

    card: OperationCard
    model: type[BaseModel]
    result: TypeAdapter[Any]
    run: Callable[..., Awaitable[Any]]
    where: str
    staging: Staging | None

    def parse(self, arguments: dict[str, Any]) -> BaseModel:
        """`arguments`, canonicalised, as the operation's own type.

        Raises:
            ApplicationError: they are invalid. Not retried: they will not get better.
        """
        try:
            return self.model.model_validate(canonical(arguments))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            problem = f"argument {_problem(error, 'arguments')}, got {first['input']!r:.80}"
        except ValueError as error:
            problem = str(error)
        message = f"{self.card.name}: {problem}; correct the arguments of this call"
        raise ApplicationError(message, type=INVALID_ARGUMENTS, non_retryable=True)

    def output(self, returned: Any) -> Any:
        """What the operation returned, as canonical JSON data of the type that it declares.

        Raises:
            ApplicationError: it is of another type, no JSON, or more than 256 KB. Not retried. The
                value itself is not repeated: nobody has decided yet that it may be in a history.
        """
        if isinstance(returned, BaseModel):
            returned = returned.model_dump(mode="json", by_alias=True)
        try:
            text = canonical_json(returned).encode()
            self.result.validate_json(text, strict=True)
        except ValidationError as error:
            problem = f"{_problem(error, 'value')}; correct its result or its annotation"
        except ValueError as error:
            problem = f"what is not JSON ({error}): return plain data"
        else:
            if len(text) <= MAX_OUTPUT_BYTES:
                return canonical(returned)
            problem = f"{len(text)} bytes, at most {MAX_OUTPUT_BYTES} are allowed"
        returned = "returned" if self.card.effect.is_tool else "has committed, but returned"
        message = f"{self.card.name} {returned} {problem}"
        raise ApplicationError(message, type=INVALID_OUTPUT, non_retryable=True)


class Registry:
    """The operations of one worker. At most one version of each."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self._operations = dict(sorted(operations.items()))

    @classmethod
    def of(cls, *sources: object) -> Registry:
        """All operations of `sources`.

        A source is a declared function, an object with declared methods, a module, or the name of
        a module to import.

        Raises:
            RegistrationError: a source that has none or cannot be imported, or one name twice.
        """
        operations: dict[str, Operation] = {}
        for source in sources:
            for found in _operations_of(source):
                known = operations.setdefault(found.card.name, found)
                if known.run != found.run:
                    raise RegistrationError(
                        f"operation {found.card.name!r} is declared by {known.where} and by "
                        f"{found.where}: rename one, or leave one out"
                    )
        return cls(operations)

    @property
    def stagings(self) -> list[Staging]:
        """Those of all stageable effects."""
        return [found.staging for found in self._operations.values() if found.staging]

    @property
    def cards(self) -> dict[str, OperationCard]:
        """The card of every operation by its name, in the order of the names."""
        return {name: found.card for name, found in self._operations.items()}

    def tool(self, name: str, version: str) -> Operation:
        """The tool `name` at `version`.

        Raises:
            ApplicationError: this worker lacks it (retried), or it is an effect (not retried).
        """
        return self._find(name, version, tool=True)

    def effect(self, name: str, version: str) -> Operation:
        """The effect `name` at `version`.

        Raises:
            ApplicationError: this worker lacks it (retried), or it is a tool (not retried).
        """
        return self._find(name, version, tool=False)

    def stageable(self, name: str, version: str) -> tuple[Operation, Staging]:
        """The stageable effect `name` at `version`.

        Raises:
            ApplicationError: this worker lacks it (retried), or it is none (not retried).
        """
        found = self.effect(name, version)
        if found.staging is None:
            message = f"{name} is {found.card.effect}, not stageable"
            raise ApplicationError(message, type=WRONG_KIND, non_retryable=True)
        return found, found.staging

    def _find(self, name: str, version: str, *, tool: bool) -> Operation:
        found = self._operations.get(name)
        if found is None or found.card.version != version:
            raise ApplicationError(_missing(name, version, found), type=OPERATION_MISSING)
        if found.card.effect.is_tool is not tool:
            message = f"{name} is {found.card.effect}, not {'a tool' if tool else 'an effect'}"
            raise ApplicationError(message, type=WRONG_KIND, non_retryable=True)
        return found


def _operations_of(source: object) -> list[Operation]:
    if isinstance(source, str):
        source = _imported(source)
    candidates = list(_candidates(source))
    found = [one for candidate in candidates for one in _operation(candidate, candidates)]
    if not found:
        raise RegistrationError(f"{source!r:.80} has no operation: declare one with @operation")
    return found


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        message = (
            f"cannot import the operations module {name!r}: {error}; check name and PYTHONPATH"
        )
        raise RegistrationError(message) from error


def _candidates(source: object) -> Iterator[object]:
    if callable(source):
        yield source
    elif isinstance(source, ModuleType):
        yield from vars(source).values()
    else:
        # The class is asked first: reading a property of the instance would run it.
        for name, member in inspect.getmembers_static(type(source)):
            if callable(member):
                yield getattr(source, name)


def _operation(candidate: object, beside: Sequence[object]) -> list[Operation]:
    """The operation that `candidate` is, if any, with the functions for staging among `beside`."""
    declared = declaration_of(candidate)
    if declared is None or not callable(candidate):
        return []
    stageable = declared.card.effect is EffectClass.STAGEABLE
    run = cast("Callable[..., Awaitable[Any]]", candidate)  # `operation` checked that it is async
    return [
        Operation(
            card=declared.card,
            model=declared.model,
            result=declared.result,
            run=run,
            where=declared.where,
            staging=staging_of(declared, beside) if stageable else None,
        )
    ]


def _problem(error: ValidationError, whole: str) -> str:
    """Where in the data the first problem is, and what it is, without the data."""
    first, *others = error.errors(include_url=False, include_context=False, include_input=False)
    path = ".".join(str(step) for step in first["loc"]) or whole
    more = f" (and {len(others)} more)" if others else ""
    return f"{path!r}: {first['msg']}{more}"


def _missing(name: str, version: str, found: Operation | None) -> str:
    worker = f"worker {os.getpid()}@{socket.gethostname()}"
    if found is None:
        return (
            f"{worker} has no operation {name!r}: "
            "start it with --operations naming the module that declares it"
        )
    return (
        f"{worker} has {name!r} at version {found.card.version!r}, not {version!r}: "
        "it needs the module that declares that version"
    )
