"""A history read for its calls: what was asked, what came back, what it cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause

from forerun.speculation.quantities import number
from tests.harness import Story

CALLS = ("model_call", "tool_call")

NEWS_ARRIVED = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
"""A run may not close on a task that does not know the latest events: the server asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One activity that made a call. `usd` is None where its dollars are unknown."""

    id: str
    scheduled_at: int
    asked: dict[str, Any]
    ended_at: int | None
    ending: str | None
    completed: bool
    output: Any
    usd: Decimal | None

    @property
    def speculative(self) -> bool:
        return self.id.startswith("ahead:")


class Told:
    """What a story tells about calls and effects."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.events = story.history.events

    @cached_property
    def calls(self) -> dict[str, Call]:
        """All calls by activity id, in the order of their start."""
        ends = self._ends()
        found: dict[str, Call] = {}
        for event in self.events:
            if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                continue
            scheduled = event.activity_task_scheduled_event_attributes
            if scheduled.activity_type.name not in CALLS:
                continue
            assert scheduled.activity_id not in found, f"{scheduled.activity_id} started twice"
            asked = json.loads(scheduled.input.payloads[0].data)
            asked.pop("expected_output_tokens", None)
            found[scheduled.activity_id] = _call(
                scheduled.activity_id, event.event_id, asked, ends.get(event.event_id)
            )
        return found

    def makers(self) -> dict[str, Call]:
        """By node, the call whose result became its output: its own, or one promoted for it."""
        made = {c.id: c for c in self.calls.values() if not c.speculative and c.completed}
        for outcome in self.story.of_kind("outcome"):
            if outcome["outcome"] == "promoted":
                claimed_by = re.fullmatch("claimed by (.*)", outcome["reason"])
                assert claimed_by, outcome["reason"]
                assert claimed_by[1] not in made, f"{claimed_by[1]} has two results"
                made[claimed_by[1]] = self.calls[outcome["speculation"]]
        return made

    def commits(self) -> dict[str, int]:
        """By intent, where its commit was scheduled."""
        return {
            a.activity_id.removeprefix("commit:"): event.event_id
            for event in self.events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
            and (a := event.activity_task_scheduled_event_attributes).activity_type.name == "commit"
        }

    def approvals(self) -> list[tuple[int, str]]:
        """Where which intent was approved."""
        found: list[tuple[int, str]] = []
        for event in self.events:
            signalled = event.workflow_execution_signaled_event_attributes
            if signalled.signal_name == "approve":
                found.append((event.event_id, json.loads(signalled.input.payloads[0].data)["node"]))
        return found

    def budgets(self) -> list[tuple[int, Decimal]]:
        """Where the budget became what."""
        found: list[tuple[int, Decimal]] = []
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                accepted = event.workflow_execution_update_accepted_event_attributes
                update = json.loads(accepted.accepted_request.input.args.payloads[0].data)
                if "budget_usd" in update:
                    found.append((event.event_id, number(update["budget_usd"])))
        return found

    def task_failures(self) -> Iterator[str]:
        """Workflow tasks that failed: a bug, even where the next attempt went well."""
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                failed = event.workflow_task_failed_event_attributes
                if failed.cause == NEWS_ARRIVED:
                    continue
                yield f"workflow task failed at {event.event_id}: {failed.failure.message}"

    @staticmethod
    def ancestors(spec: dict[str, Any], node: str) -> set[str]:
        """All nodes that a node's templates need, directly or not."""
        found: set[str] = set()
        waiting = [node]
        while waiting:
            words = set(
                re.findall(r"\bn\d+\b", json.dumps(_templates(spec["nodes"][waiting.pop()])))
            )
            fresh = (words & spec["nodes"].keys()) - found - {node}
            found |= fresh
            waiting += fresh
        return found

    def _ends(self) -> dict[int, tuple[int, str, Any]]:
        """By scheduled event: id, kind and attributes of the event that ended it."""
        found: dict[int, tuple[int, str, Any]] = {}
        for event in self.events:
            for kind in ("completed", "failed", "timed_out", "canceled"):
                name = f"activity_task_{kind}_event_attributes"
                if event.HasField(name):
                    attributes = getattr(event, name)
                    found[attributes.scheduled_event_id] = (event.event_id, kind, attributes)
        return found


def _call(
    id: str, scheduled_at: int, asked: dict[str, Any], end: tuple[int, str, Any] | None
) -> Call:
    ended_at, ending, attributes = end or (None, None, None)
    result = _json(attributes.result) if ending == "completed" and attributes else None
    completed = bool(result and result["kind"] == "completed")
    return Call(
        id=id,
        scheduled_at=scheduled_at,
        asked=asked,
        ended_at=ended_at,
        ending=ending,
        completed=completed,
        output=result["output"] if result and completed else None,
        usd=_usd(ending, attributes, result),
    )


def _usd(ending: str | None, attributes: Any, result: Any) -> Decimal | None:
    match ending:
        case "completed":
            bill = result["bill"]
        case "failed":
            bill = _detail(attributes.failure.application_failure_info.details)
        case "timed_out":
            bill = _detail(attributes.failure.timeout_failure_info.last_heartbeat_details)
        case _:
            return Decimal(0)  # cancelled in the queue
    best = bill and bill["cost"]["best_usd"]
    return None if best is None else number(best)


def _detail(payloads: Any) -> Any:
    return _json(payloads)["bill"] if payloads.payloads else None


def _json(payloads: Any) -> Any:
    return json.loads(payloads.payloads[0].data)


def _templates(node: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in node.items() if key in ("prompt", "system", "args", "when")
    }
