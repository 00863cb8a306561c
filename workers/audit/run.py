"""A run as its history tells it: plain data, typed, each part with the id of its event.

What did not decode is None here and a violation already (`reading`), so a check meets either what a
run of this version writes, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from forerun.activities.call_result import Bill, Completed, Cut
from forerun.activities.comparison import Compared, CompareRequest
from forerun.activities.decision_request import Learned, Opening
from forerun.activities.intent import CommitReceipt, CommitRequest, StageRequest
from forerun.activities.model_call import ModelRequest
from forerun.activities.operation import OperationCard, ToolRequest
from forerun.speculation.bet import node_of
from forerun.workers.audit.records import Entry
from forerun.workflows.graph import Graph

AHEAD, GUESS = "ahead:", "guess:"
"""How the ids of speculations and of bought guesses begin: `ahead:NODE:NUMBER`."""

MODEL_CALL, TOOL_CALL, COMPARE, COMMIT = "model_call", "tool_call", "compare", "commit"
"""The types of the activities that cost dollars, beside `STAGE`."""

BOOKS = ("open_run", "learn", "decide", "settle", "compare_wording")
"""The types of the local activities that write records."""

R = TypeVar("R")


def node_of_id(activity_id: str) -> str:
    """The node in the id of an activity; of a commit, its intent."""
    if activity_id.startswith((AHEAD, GUESS)):
        return activity_id.partition(":")[2].rpartition(":")[0]
    if activity_id.startswith(f"{COMPARE}:"):
        return node_of(activity_id.removeprefix(f"{COMPARE}:"))
    return activity_id.removeprefix(f"{COMMIT}:")


HowEnded = Literal["completed", "failed", "timed_out", "canceled"]
HowClosed = Literal[
    "open", "completed", "failed", "canceled", "terminated", "timed_out", "continued_as_new"
]

SETTLED: tuple[HowClosed, ...] = ("completed", "failed", "canceled")
"""The ends that a run comes to by itself: then, and only then, everything must be written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an activity ended. A failure has no `result`, and a `bill` where it told what it cost.

    `heard_ms` is when its run heard of it, None if it has not.
    """

    event_id: int
    how: HowEnded
    at_ms: int = 0
    heard_ms: int | None = None
    result: Completed | Cut | Compared | CommitReceipt | None = None
    bill: Bill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One activity, from the event that scheduled it; `asked` is None for errands.

    Times are Unix milliseconds: when its run decided to ask, when it was scheduled, and when its last
    `attempt` began: None, and 0, as long as it has not, or runs.
    """

    event_id: int
    id: str
    type: str
    asked: ModelRequest | ToolRequest | CompareRequest | StageRequest | CommitRequest | None
    end: End | None
    asked_ms: int
    queued_ms: int
    begun_ms: int | None
    attempt: int

    @property
    def speculative(self) -> bool:
        """Whether it was started on guesses."""
        return self.id.startswith(AHEAD)

    @property
    def bought(self) -> bool:
        """Whether it asks a cheaper model for a guess."""
        return self.id.startswith(GUESS)

    @property
    def certain(self) -> bool:
        """Whether it makes a call that its run needs."""
        return self.type in (MODEL_CALL, TOOL_CALL) and not (self.speculative or self.bought)

    @property
    def node(self) -> str:
        """The node that it was scheduled for; of a commit, its intent."""
        return node_of_id(self.id)

    @property
    def output(self) -> Any:
        """What it returned, if it completed as a call."""
        result = self.end.result if self.end else None
        return result.output if isinstance(result, Completed) else None

    @property
    def completed(self) -> bool:
        """Whether it has an output."""
        return self.end is not None and isinstance(self.end.result, Completed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """One local activity: `seq` is its number within the run."""

    event_id: int
    seq: int
    type: str
    entries: tuple[Entry, ...]

    def of(self, kind: type[R]) -> list[R]:
        """Its records of one kind."""
        return [entry.record for entry in self.entries if isinstance(entry.record, kind)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal, whatever it holds."""

    event_id: int
    name: str
    payload: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An accepted update of the policy, as it was sent."""

    event_id: int
    at_ms: int
    update: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """The last event; `result` is that of an AgentDag, or the one in the details of its failure.

    `message` is what a failure says of itself.
    """

    event_id: int
    how: HowClosed
    result: dict[str, Any] | None = None
    message: str = ""


OPEN = Close(event_id=0, how="open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that checks and reports read. `graph` is None for a workflow that is no AgentDag.

    `times` are Unix milliseconds, by event id; `workload` is None where the run does not say.
    """

    workflow_id: str
    run_id: str
    first_run_id: str
    workflow_type: str
    workload: str | None
    graph: Graph | None
    times: Mapping[int, int]
    calls: tuple[Call, ...]
    markers: tuple[Marker, ...]
    signals: tuple[Signal, ...]
    turns: tuple[Turn, ...]
    close: Close = OPEN

    @property
    def events(self) -> int:
        """How many there are."""
        return len(self.times)

    @property
    def began_ms(self) -> int:
        """When it was started, in Unix milliseconds."""
        return next(iter(self.times.values()), 0)

    @property
    def ended_ms(self) -> int:
        """The last that is known of it, in Unix milliseconds."""
        return max(self.times.values(), default=0)

    @property
    def settled(self) -> bool:
        """Whether it came to an end by itself."""
        return self.close.how in SETTLED

    @property
    def entries(self) -> list[Entry]:
        """All records, in the order of the chain."""
        return [entry for marker in self.markers for entry in marker.entries]

    def of(self, kind: type[R]) -> Iterator[tuple[int, R]]:
        """The records of one kind, each with its event."""
        for marker in self.markers:
            for record in marker.of(kind):
                yield marker.event_id, record

    @property
    def opening(self) -> Opening | None:
        """What the run was started with, as it recorded it."""
        return next((record for _, record in self.of(Opening)), None)

    @property
    def cards(self) -> dict[str, OperationCard]:
        """The operations that it named, as the worker declared them."""
        known: dict[str, OperationCard] = {}
        for marker in self.markers:
            for record in (*marker.of(Opening), *marker.of(Learned)):
                known |= record.operations
        return known

    @property
    def commits(self) -> dict[str, Call]:
        """By intent, the first call that was to commit it."""
        return {
            call.asked.intent: call
            for call in reversed(self.calls)
            if call.type == COMMIT and isinstance(call.asked, CommitRequest)
        }

    def by_event(self) -> list[Call | Marker | Turn]:
        """Launches, records and turned dials in the order in which they happened."""
        happened: list[Call | Marker | Turn] = [*self.calls, *self.markers, *self.turns]
        return sorted(happened, key=lambda one: one.event_id)
