"""The operations of one worker, by name.

A worker asked for an operation it lacks fails that attempt, not the call: during a rollout another
worker on the same queue may have it.
"""

from __future__ import annotations

import inspect
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from temporalio.exceptions import ApplicationError

from forerun.activities.operation import OperationCard
from forerun.activities.registration import RegistrationError, declaration_of
from forerun.speculation.canonical import canonical

OPERATION_MISSING = "OperationMissing"
WRONG_KIND = "WrongKindOfOperation"
INVALID_ARGUMENTS = "InvalidArguments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A registered operation: its card and the code that runs it."""

    card: OperationCard
    model: type[BaseModel]
    run: Callable[..., Awaitable[Any]]
    where: str

    def parse(self, arguments: dict[str, Any]) -> BaseModel:
        """`arguments`, canonicalised, as the operation's own type.

        Raises:
            ApplicationError: they are invalid. Not retried: they will not get better.
        """
        try:
            return self.model.model_validate(canonical(arguments))
        except ValidationError as error:
            problem = _problem(error)
        except ValueError as error:
            problem = str(error)
        message = f"{self.card.name}: {problem}; correct the arguments of this call"
        raise ApplicationError(message, type=INVALID_ARGUMENTS, non_retryable=True)


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
    found = [operation for candidate in _candidates(source) for operation in _operation(candidate)]
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
            if declaration_of(member) is not None:
                yield getattr(source, name)


def _operation(candidate: object) -> list[Operation]:
    declared = declaration_of(candidate)
    if declared is None or not callable(candidate):
        return []
    run = cast("Callable[..., Awaitable[Any]]", candidate)  # `operation` checked that it is async
    return [Operation(card=declared.card, model=declared.model, run=run, where=declared.where)]


def _problem(error: ValidationError) -> str:
    first, *others = error.errors(include_url=False, include_context=False)
    path = ".".join(str(step) for step in first["loc"]) or "arguments"
    more = f" (and {len(others)} more)" if others else ""
    return f"argument {path!r}: {first['msg']}, got {first['input']!r:.80}{more}"


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
