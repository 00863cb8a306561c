"""What the history of a finished run tells: when each call began and ended, tokens, records."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowHistory

from benchmarks.steps import Shape

CALLS = ("model_call", "tool_call")
AHEAD = "ahead:"


@dataclass(slots=True, kw_only=True)
class Call:
    """One call's activity by the server's clock, in unix seconds."""

    id: str
    scheduled: float
    ended: float | None = None
    result: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def node(self) -> str:
        """The node it was made for."""
        return self.id.split(":")[1] if self.ahead else self.id

    @property
    def ahead(self) -> bool:
        """Whether it was started on a guess."""
        return self.id.startswith(AHEAD)

    @property
    def tokens(self) -> int:
        """All tokens billed."""
        usage = self.result.get("bill", {}).get("usage", {})
        return usage.get("input_tokens", 0) + usage.get("output_tokens", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A finished run; `seconds` is what a user waits, from the start to the close."""

    began: float
    closed: float
    events: int
    calls: tuple[Call, ...]
    records: tuple[dict[str, Any], ...]

    @staticmethod
    async def of(handle: WorkflowHandle[Any, Any]) -> Trace:
        """Read it from the server."""
        return Trace.read(await handle.fetch_history())

    @staticmethod
    def read(history: WorkflowHistory) -> Trace:
        """Read it from a history."""
        events = history.events
        return Trace(
            began=_seconds(events[0]),
            closed=_seconds(events[-1]),
            events=len(events),
            calls=tuple(_calls(events)),
            records=tuple(_records(events)),
        )

    @property
    def seconds(self) -> float:
        """From the start of the run to its close."""
        return self.closed - self.began

    @property
    def tokens(self) -> int:
        """Billed tokens of all calls, input and output."""
        return sum(call.tokens for call in self.calls)

    def step_seconds(self, shape: Shape) -> dict[str, float]:
        """For a run without speculation: how long after its inputs each step's output was there.

        So the way from one call to the next is a part of the step, whoever schedules it.
        """
        ended = {call.node: call.ended or call.scheduled for call in self.calls}
        return {
            call.node: ended[call.node]
            - max((ended[up] for up in shape[call.node].reads), default=call.scheduled)
            for call in self.calls
        }

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The records of one kind."""
        return [record for record in self.records if record["kind"] == kind]

    @property
    def held_though_right(self) -> Counter[str]:
        """Why bets were held all of whose guesses came true: each bet once, by its last reason."""
        right = {record["guess"] for record in self.of_kind("guess") if record["right"]}
        last = {record["question"]: record for record in self.of_kind("decision")}
        return Counter(
            record["reason"]
            for record in last.values()
            if record["verdict"] == "hold" and right.issuperset(_guesses(record))
        )

    @property
    def promoted(self) -> frozenset[str]:
        """The nodes whose output came from a call that ran ahead."""
        over = self.of_kind("outcome")
        return frozenset(o["node"] for o in over if o["outcome"] == "promoted")


def _guesses(decision: dict[str, Any]) -> set[str]:
    return {assumption["guess"] for assumption in decision["assumptions"]}


def _calls(events: Any) -> Iterator[Call]:
    under_way: dict[int, Call] = {}
    for event in events:
        scheduled = event.activity_task_scheduled_event_attributes
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            if scheduled.activity_type.name in CALLS:
                call = Call(id=scheduled.activity_id, scheduled=_seconds(event))
                under_way[event.event_id] = call
                yield call
            continue
        end = _end(event)
        if end is not None and end.scheduled_event_id in under_way:
            call = under_way.pop(end.scheduled_event_id)
            call.ended = _seconds(event)
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                call.result = json.loads(end.result.payloads[0].data)


def _end(event: Any) -> Any:
    for name in ("completed", "failed", "timed_out", "canceled"):
        if event.HasField(f"activity_task_{name}_event_attributes"):
            return getattr(event, f"activity_task_{name}_event_attributes")
    return None


def _records(events: Any) -> Iterator[dict[str, Any]]:
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            payload = event.marker_recorded_event_attributes.details["result"].payloads[0]
            yield from json.loads(payload.data)["records"]


def _seconds(event: Any) -> float:
    return event.event_time.ToNanoseconds() / 1e9
