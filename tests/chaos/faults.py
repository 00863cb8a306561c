"""What can go wrong, and when: drawn from a seed, tied to what can be observed, never to a clock."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from forerun.workers.roles import Role


class Moment(StrEnum):
    """Something that is seen of a run, for the nth time."""

    TASK = "workflow task completed"
    RECORD = "decision or outcome recorded"
    CALL = "call scheduled"
    LAUNCH = "speculation scheduled"
    STREAMING = "answer streaming"
    CUT = "cut requested"
    CLAIM = "promotion sent"
    STAGING = "stage scheduled"
    STAGED = "staged row"
    COMMITTING = "commit scheduled"
    WRITTEN = "committed row"


class Deed(StrEnum):
    """A fault that is injected into a live run."""

    KILL_WORKFLOW = "kill -9 workflow worker"
    KILL_CALL = "kill -9 call worker"
    KILL_SPECULATIVE = "kill -9 speculative worker"
    KILL_COMMIT = "kill -9 commit worker"
    KILL_SERVER = "kill -9 server"
    RESET = "reset"
    CANCEL = "cancel"
    TERMINATE = "terminate"
    FOREIGN = "foreign signal"
    MALFORMED = "malformed signal"
    FORGED = "forged checkpoint"
    STOP = "budget set to 0"

    @property
    def victim(self) -> Role | None:
        """The worker that it kills."""
        return VICTIMS.get(self)

    @property
    def shared(self) -> bool:
        """Whether it befalls every run in flight."""
        return self is Deed.KILL_SERVER or self.victim is not None


VICTIMS = {
    Deed.KILL_WORKFLOW: Role.WORKFLOW,
    Deed.KILL_CALL: Role.CALL,
    Deed.KILL_SPECULATIVE: Role.SPECULATIVE,
    Deed.KILL_COMMIT: Role.COMMIT,
}

_EFFECTS = (Moment.STAGING, Moment.STAGED, Moment.COMMITTING, Moment.WRITTEN, Moment.WRITTEN)
_GUESSES = (Moment.LAUNCH, Moment.LAUNCH, Moment.STREAMING, Moment.CUT, Moment.CLAIM)
_WORK = (Moment.TASK, Moment.RECORD, Moment.CALL)
_ANY = (*_EFFECTS, *_GUESSES, *_WORK)

WHEN: dict[Deed, tuple[Moment, ...]] = {
    Deed.KILL_WORKFLOW: (*_WORK, *_GUESSES, Moment.COMMITTING, Moment.WRITTEN),
    Deed.KILL_CALL: (Moment.CALL, Moment.CALL, Moment.STREAMING, Moment.CLAIM),
    Deed.KILL_SPECULATIVE: _GUESSES,
    Deed.KILL_COMMIT: _EFFECTS,
    Deed.KILL_SERVER: _ANY,
    Deed.RESET: (*_ANY, Moment.COMMITTING, Moment.WRITTEN),
    Deed.CANCEL: _ANY,
    Deed.TERMINATE: (*_GUESSES, *_EFFECTS),
    Deed.FOREIGN: _WORK,
    Deed.MALFORMED: _WORK,
    Deed.FORGED: (Moment.CALL, Moment.LAUNCH, Moment.STREAMING),
    Deed.STOP: (Moment.LAUNCH, Moment.STREAMING, Moment.CLAIM),
}

CHANCES: dict[Deed, float] = {
    Deed.KILL_WORKFLOW: 0.15,
    Deed.KILL_CALL: 0.15,
    Deed.KILL_SPECULATIVE: 0.2,
    Deed.KILL_COMMIT: 0.3,
    Deed.KILL_SERVER: 0.12,
    Deed.RESET: 0.3,
    Deed.CANCEL: 0.1,
    Deed.TERMINATE: 0.04,
    Deed.FOREIGN: 0.3,
    Deed.MALFORMED: 0.3,
    Deed.FORGED: 0.15,
    Deed.STOP: 0.08,
}
"""How likely a run is to draw each; what it waits for may never be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A deed, and the moments for it: the first of them that comes, for the nth time.

    `draw`, in [0, 1), is all else that is random about it.
    """

    deed: Deed
    moments: tuple[Moment, ...]
    nth: int
    draw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The provider fails the first `times` requests of a node."""

    node: str
    kind: str
    times: int
    ttft_ms: int

    def rule(self, tag: str) -> dict[str, Any]:
        """As a rule of the stand-in; the answer that breaks off is another than the true one."""
        return {
            "match": self.match(tag),
            "fault": self.kind,
            "times": self.times,
            "ttft_ms": self.ttft_ms,
            "tokens_per_second": 50,
            "reply": "something else entirely that nobody will ever get to see whole",
        }

    def match(self, tag: str) -> str:
        return rf"^{re.escape(tag)}{self.node} about "


REFUSALS = ("429", "500", "reset", "truncate", "sse_error", "stall")


def draw_faults(rng: random.Random, intents: Sequence[str]) -> Iterator[Fault]:
    """The deeds of a run; those on its effects only where it has some."""
    for deed, chance in CHANCES.items():
        if rng.random() < chance:
            moments = [m for m in WHEN[deed] if intents or m not in _EFFECTS]
            yield Fault(
                deed=deed,
                moments=(rng.choice(moments), rng.choice(moments)),
                nth=rng.choice([1, 1, 1, 2, 3]),
                draw=rng.random(),
            )


def draw_refusals(rng: random.Random, models: Sequence[str]) -> list[Refusal]:
    """Faults of the provider, for some of the model nodes."""
    return [
        Refusal(
            node=node,
            kind=rng.choice(REFUSALS),
            times=rng.choice([1, 1, 1, 2]),
            ttft_ms=rng.randint(10, 200),
        )
        for node in models
        if rng.random() < 0.25
    ]
