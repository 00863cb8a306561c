"""A stageable effect: one that can be prepared on a guess, and thrown away.

    @operation("drafts.put", version="1", effect=EffectClass.STAGEABLE)
    async def put(arguments: Draft, commit: Commit) -> dict[str, Any]: ...

    @stages(put)
    async def stage(arguments: Draft, stage: Stage) -> None: ...

    @discards(put)
    async def discard(stage: Stage) -> None: ...

    @lists_stages(put)
    async def staged(before: datetime) -> list[Stage]: ...

The law: nobody but the sink ever sees a stage, and a commit needs none. A stage may be discarded
before it was made (its worker hung and wakes up later), twice, or never; the commit that it was made
for may come without it, or after it was swept. So a lost stage costs time and nothing else.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from forerun.activities.registration import Declaration, RegistrationError, declaration_of
from forerun.speculation.effect_class import EffectClass

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """These arguments for this intent, prepared: a run has at most one such stage.

    `first_run_id` is `first_execution_run_id`: a reset keeps it.
    """

    workflow_id: str
    first_run_id: str
    intent: str
    digest: str

    @property
    def idempotency_key(self) -> str:
        """The key of the commit that this stage is for; stages for other arguments share it."""
        return idempotency_key(self.workflow_id, self.first_run_id, self.intent)


def idempotency_key(workflow_id: str, first_run_id: str, intent: str) -> str:
    """What one effect is known by: the same over retries and resets, another in a new run."""
    return f"{workflow_id}/{first_run_id}/{intent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """What a stageable effect can do besides being committed."""

    stage: Callable[[BaseModel, Stage], Awaitable[None]]
    discard: Callable[[Stage], Awaitable[None]]
    staged: Callable[[datetime], Awaitable[list[Stage]]]


def stages(commit: Callable[..., Any]) -> Callable[[F], F]:
    """Declare the function that prepares what `commit` makes a fact.

    For a stage that was discarded, or committed, it does nothing: it comes too late.

    Raises:
        RegistrationError: `commit` is no stageable effect, or the function has the wrong form.
    """
    return _part(commit, "stage", parameters=2)


def discards(commit: Callable[..., Any]) -> Callable[[F], F]:
    """Declare the function that throws a stage away, for good: a `stage` that comes later is void.

    What is committed, it leaves alone.

    Raises:
        RegistrationError: as for `stages`.
    """
    return _part(commit, "discard", parameters=1)


def lists_stages(commit: Callable[..., Any]) -> Callable[[F], F]:
    """Declare the function that lists the stages made before a time that are nothing more yet.

    Raises:
        RegistrationError: as for `stages`.
    """
    return _part(commit, "staged", parameters=1)


def staging_of(commit: Declaration, candidates: Iterable[object]) -> Staging:
    """The functions among `candidates` that were declared for `commit`.

    Raises:
        RegistrationError: one is missing, or there twice.
    """
    found: dict[str, Any] = {}
    for candidate in candidates:
        part = getattr(candidate, _ATTRIBUTE, None)
        if not (isinstance(part, _Part) and part.commit is commit):
            continue
        if found.setdefault(part.name, candidate) != candidate:
            raise _wrong(commit, f"has two functions for {part.name}: leave one out")
    missing = [f"@{name}" for part, name in _DECORATORS.items() if part not in found]
    if missing:
        problem = f"is stageable, but lacks {' and '.join(missing)}: see activities.stageable"
        raise _wrong(commit, problem)
    return Staging(**found)


@dataclass(frozen=True, slots=True)
class _Part:
    commit: Declaration
    name: str


_ATTRIBUTE = "__forerun_staging__"
_DECORATORS = {"stage": "stages", "discard": "discards", "staged": "lists_stages"}


def _part(commit: Callable[..., Any], name: str, *, parameters: int) -> Callable[[F], F]:
    declared = declaration_of(commit)
    if declared is None or declared.card.effect is not EffectClass.STAGEABLE:
        raise RegistrationError(
            f"@{_DECORATORS[name]}({commit!r:.80}): that is no stageable effect"
        )

    def declare(function: F) -> F:
        given = [it for it in inspect.signature(function).parameters if it != "self"]
        if not inspect.iscoroutinefunction(function) or len(given) != parameters:
            form = "async, with the parameters that activities.stageable shows"
            raise _wrong(declared, f"{function.__qualname__} must be {form}")
        setattr(function, _ATTRIBUTE, _Part(declared, name))
        return function

    return declare


def _wrong(commit: Declaration, problem: str) -> RegistrationError:
    return RegistrationError(f"operation {commit.card.name!r} ({commit.where}): {problem}")
