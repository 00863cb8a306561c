"""The form of a history: what the server guarantees of the order of events, whatever the run did.

The law: only a history of sound form is replayed. The SDK's replayer takes it for granted, and one
that breaks it makes it wait for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from temporalio.api.enums.v1 import EventType

from forerun.workers.audit.run import HowClosed
from forerun.workers.audit.violation import Violation, unless_equal, violation

CLOSED: Mapping[str, HowClosed] = {
    "workflow_execution_completed": "completed",
    "workflow_execution_failed": "failed",
    "workflow_execution_canceled": "canceled",
    "workflow_execution_terminated": "terminated",
    "workflow_execution_timed_out": "timed_out",
    "workflow_execution_continued_as_new": "continued_as_new",
}
"""The last events of a run."""

ENDS_OF_TASK = (
    "workflow_task_completed",
    "workflow_task_failed",
    "workflow_task_timed_out",
    "workflow_execution_terminated",
    "workflow_execution_timed_out",
)
"""What follows the start of a workflow task, at once: whatever happens meanwhile is held back."""


def flaws(events: Sequence[Any]) -> Iterator[Violation]:
    """What is wrong with the form of a history."""
    for position, event in enumerate(events, start=1):
        yield from unless_equal(position, "", "event_id", position, event.event_id)
        yield from unless_equal(position, "", "event_type", kind_of(event), _type_of(event))
    for event, following in pairwise(events):
        kind, next_kind = kind_of(event), kind_of(following)
        if kind in CLOSED:
            found = f"more of them: {next_kind}"
            yield violation(event.event_id, "", "events", "none after the end of the run", found)
        if kind == "workflow_task_started" and next_kind not in ENDS_OF_TASK:
            expected = "the end of the workflow task at once"
            yield violation(event.event_id, "", "events", expected, next_kind)
        if kind != "workflow_task_started" and next_kind == "workflow_task_completed":
            expected = "the start of the workflow task right before"
            yield violation(following.event_id, "", "events", expected, kind)
    started = events[0].workflow_execution_started_event_attributes
    for name in ("workflow_type", "task_queue"):
        if not started.HasField(name):
            yield violation(1, "", name, "a name", None)


def replayable(events: Sequence[Any]) -> bool:
    """Whether there is anything to replay: a run that no worker has taken up yet has said nothing."""
    return any(kind_of(event) == "workflow_task_completed" for event in events)


def kind_of(event: Any) -> str:
    """What an event is, by what it carries: `activity_task_scheduled`."""
    return (event.WhichOneof("attributes") or "").removesuffix("_event_attributes")


def _type_of(event: Any) -> str:
    """What it says that it is."""
    known = event.event_type in EventType.values()
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower() if known else ""
