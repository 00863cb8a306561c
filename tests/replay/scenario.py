"""What makes a kept history: a run, what people do meanwhile, and what it then shows.

A scenario says what its history is about (`shows`), so that neither a new recording nor a change of
the file can quietly turn it into the history of something else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from tests.harness import Story

Handle = Any
"""A `WorkflowHandle`: the SDK's overloads by name leave its types unknown."""

HISTORIES = Path(__file__).with_name("histories")
LOOK_SECONDS = 0.05


async def nothing(_handle: Handle) -> None:
    """Nobody takes notice of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run, whose models answer by `rules` and to which `people` happen from its start on.

    `workflow` may be one of a user's own, with `spec` as its argument. `failed` is the type of the
    error that it ends with, None if it ends well.
    """

    name: str
    spec: Any
    workflow: str = "AgentDag"
    shows: Callable[[Story], bool]
    rules: tuple[dict[str, Any], ...] = ()
    people: Callable[[Handle], Awaitable[None]] = nothing
    failed: str | None = None

    @property
    def file(self) -> Path:
        """Where its history is kept."""
        return HISTORIES / f"{self.name}.json"

    def history(self) -> WorkflowHistory:
        """The history that is kept."""
        return WorkflowHistory.from_json(self.name, self.file.read_text())


async def approve(handle: Handle) -> None:
    """Before anybody was asked."""
    await handle.signal("approve", {"node": "send", "by": "ann"})


async def approve_what_is_shown(handle: Handle) -> None:
    while not (waiting := (await handle.query("pending"))["intents"]):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)
    approval = {"node": "send", "by": "ann", "digest": waiting[0]["digest"]}
    await handle.signal("approve", approval)


async def approve_amid_noise(handle: Handle) -> None:
    """What names another intent or does not parse decides nothing; of the rest, the first counts."""
    await handle.signal("approve", {"node": "another", "by": "eve"})
    await handle.signal("approve", "send")
    await approve(handle)
    await handle.signal("approve", {"node": "send", "by": "bob"})


async def reject(handle: Handle) -> None:
    await handle.signal("reject", {"node": "send", "by": "bob", "note": "not today"})


async def cancel_ahead(handle: Handle) -> None:
    await _draft_runs_ahead(handle)
    await handle.cancel()


async def stop_ahead(handle: Handle) -> None:
    """Turn the stop switch of a live run."""
    await _draft_runs_ahead(handle)
    await handle.execute_update("set_policy", {"budget_usd": "0"})
    await approve(handle)


async def lose_interest_ahead(handle: Handle) -> None:
    """Say that time is worth next to nothing: what is live is judged again by that."""
    await _draft_runs_ahead(handle)
    await handle.execute_update("set_policy", {"usd_per_second": "0.0000001"})
    await approve(handle)


def fates(story: Story) -> list[str]:
    """What became of the speculations: `draft promoted`, sorted."""
    return sorted(f"{id.split(':')[1]} {fate}" for id, fate in story.outcomes().items())


def verdicts(story: Story) -> set[str]:
    """What was decided."""
    return {decision["verdict"] for decision in story.of_kind("decision")}


def result(story: Story) -> dict[str, Any]:
    """What the run returned; empty if it failed."""
    last = story.history.events[-1].workflow_execution_completed_event_attributes
    return json.loads(last.result.payloads[0].data) if last.result.payloads else {}


def effect(story: Story) -> str:
    """What became of the effect `send`."""
    return result(story)["effects"]["send"]["state"]


def count(story: Story, event_type: EventType.ValueType) -> int:
    """How many events of a type there are."""
    return sum(event.event_type == event_type for event in story.history.events)


def told(story: Story) -> int:
    """How many checkpoints its calls have sent."""
    return sum(
        event.workflow_execution_signaled_event_attributes.signal_name == "checkpoint"
        for event in story.history.events
    )


def launching_tasks(story: Story) -> list[int]:
    """Of every scheduled activity, the workflow task that it left with."""
    return [
        event.activity_task_scheduled_event_attributes.workflow_task_completed_event_id
        for event in story.history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]


def promotes(story: Story) -> bool:
    """Whether a running speculation was promoted."""
    return any(
        event.activity_task_scheduled_event_attributes.activity_type.name == "promote"
        for event in story.history.events
    )


def attempts(story: Story, activity_id: str) -> int:
    """At which attempt an activity ended."""
    scheduled = story.scheduled(activity_id)
    started = (event.activity_task_started_event_attributes for event in story.history.events)
    return next(
        s.attempt for s in started if scheduled and s.scheduled_event_id == scheduled.event_id
    )


async def _draft_runs_ahead(handle: Handle) -> None:
    while True:
        ahead = (await handle.query("ledger")).get("ahead", ())
        if any(s["node"] == "draft" and s["running"] for s in ahead):
            return
        await asyncio.sleep(LOOK_SECONDS)
