"""A history read for its calls: what was asked, what came back, what it cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause

from forerun.speculation.quantities import number
from tests.harness import Event, Story

CALLS = ("model_call", "tool_call", "stage")
ENDS = ("completed", "failed", "timed_out", "canceled")

NEVER_RAN: dict[str, Any] = {"attempts": 0, "cost": {"best_usd": "0"}}
UNKNOWN: dict[str, Any] = {"attempts": 0, "cost": {"best_usd": None}}
"""Of a call that failed without a word about dollars."""

NEWS_ARRIVED = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
"""A run may not close on a task that does not know the latest events: the server asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One activity that made a call, from its start to `ended_at` (event ids).

    `usd` is what it cost over all its attempts, None where nobody knows. `cut`: its last attempt was
    broken off, perhaps before the model had heard of it.
    """

    id: str
    asked: dict[str, Any]
    ended_at: int
    completed: bool
    cut: bool
    attempts: int
    usd: Decimal | None

    @property
    def speculative(self) -> bool:
        return self.id.startswith("ahead:")


class Inconsistent(Exception):
    """A history that no run may leave behind."""


class Told:
    """What the story of a run that is over tells about calls, gates and dials."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.events: list[Event] = list(story.history.events)

    @cached_property
    def calls(self) -> dict[str, Call]:
        """All calls by activity id, in the order of their start."""
        ends = self._ends()
        found: dict[str, Call] = {}
        for event_id, scheduled in self._scheduled():
            if scheduled.activity_type.name in CALLS:
                if scheduled.activity_id in found or event_id not in ends:
                    raise Inconsistent(f"{scheduled.activity_id} starts twice, or never ends")
                found[scheduled.activity_id] = _call(scheduled, *ends[event_id])
        return found

    @cached_property
    def outcomes(self) -> dict[str, dict[str, Any]]:
        """The outcome record of every speculation."""
        found = {outcome["speculation"]: outcome for outcome in self.story.of_kind("outcome")}
        for call in self.calls.values():
            if call.speculative and call.id not in found:
                raise Inconsistent(f"{call.id} has no outcome")
        return found

    def makers(self) -> dict[str, Call]:
        """By node, the call whose result became its output: its own, or one promoted for it."""
        made = {c.id: c for c in self.calls.values() if c.completed and not c.speculative}
        for speculation, outcome in self.outcomes.items():
            call = self.calls.get(speculation)
            staged = call is not None and "intent" in call.asked  # what it made is no output
            if outcome["outcome"] == "promoted" and not staged:
                node = outcome["reason"].removeprefix("claimed by ")
                if node in made or call is None:
                    raise Inconsistent(f"{node} has two results, or {speculation} never ran")
                made[node] = call
        return made

    def commits(self) -> dict[str, int]:
        """By intent, the event that scheduled its commit."""
        return {
            scheduled.activity_id.removeprefix("commit:"): event_id
            for event_id, scheduled in self._scheduled()
            if scheduled.activity_type.name == "commit"
        }

    def approvals(self) -> list[tuple[int, str]]:
        """Which event approves which intent."""
        found: list[tuple[int, str]] = []
        for event in self.events:
            signalled = event.workflow_execution_signaled_event_attributes
            if signalled.signal_name == "approve":
                found.append((event.event_id, _json(signalled.input)["node"]))
        return found

    def budgets(self) -> dict[int, Decimal]:
        """By event, the budget that it sets."""
        found: dict[int, Decimal] = {}
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                accepted = event.workflow_execution_update_accepted_event_attributes
                update = _json(accepted.accepted_request.input.args)
                if "budget_usd" in update:
                    found[event.event_id] = number(update["budget_usd"])
        return found

    def task_failures(self) -> Iterator[str]:
        """Workflow tasks that failed: a bug, even where the next attempt went well."""
        for event in self.events:
            failed = event.workflow_task_failed_event_attributes
            is_failure = event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
            if is_failure and failed.cause != NEWS_ARRIVED:
                cause = WorkflowTaskFailedCause.Name(failed.cause)
                yield f"workflow task failed at {event.event_id}: {cause} {failed.failure.message}"

    def _scheduled(self) -> Iterator[tuple[int, Any]]:
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                yield event.event_id, event.activity_task_scheduled_event_attributes

    def _ends(self) -> dict[int, tuple[int, str, Any]]:
        """By scheduling event, the event that ended the activity: id, kind, attributes."""
        found: dict[int, tuple[int, str, Any]] = {}
        for event in self.events:
            for kind in ENDS:
                name = f"activity_task_{kind}_event_attributes"
                if event.HasField(name):
                    attributes = getattr(event, name)
                    found[attributes.scheduled_event_id] = (event.event_id, kind, attributes)
        return found


def _call(scheduled: Any, ended_at: int, ending: str, attributes: Any) -> Call:
    result = _json(attributes.result) if ending == "completed" else {"kind": ending}
    bill = _bill(ending, attributes, result)
    best = bill["cost"]["best_usd"]
    asked = _json(scheduled.input)
    asked.pop("expected_output_tokens", None)  # of use to the bill alone
    return Call(
        id=scheduled.activity_id,
        asked=asked,
        ended_at=ended_at,
        completed=result["kind"] == "completed",
        cut=result["kind"] == "cut",
        attempts=bill["attempts"],
        usd=None if best is None else number(best),
    )


def _bill(ending: str, attributes: Any, result: dict[str, Any]) -> dict[str, Any]:
    match ending:
        case "completed":
            return result["bill"]
        case "failed":
            details = attributes.failure.application_failure_info.details
        case "timed_out":
            details = attributes.failure.timeout_failure_info.last_heartbeat_details
        case _:
            return NEVER_RAN
    return _json(details)["bill"] if details.payloads else UNKNOWN


def _json(payloads: Any) -> Any:
    return json.loads(payloads.payloads[0].data)
