"""What a run said while it was replayed, compared with what its history says that it said.

Arguments of activities, search attributes and the result: replay compares none of them. What local
activities were told is in `told`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from temporalio.client import WorkflowHistory

from forerun.workers.audit.differences import ABSENT, Difference, differences
from forerun.workers.audit.payloads import value_of
from forerun.workers.audit.records import Undecodable
from forerun.workers.audit.run import node_of_id
from forerun.workers.audit.violation import Violation, unless_equal, violation

OWN_QUEUE = "replay-"
"""How the queue of a replayer begins: stands where a run names none."""


def compare(history: WorkflowHistory, commands: Sequence[Any]) -> Iterator[Violation]:
    """Where a history holds other values than the replayed commands.

    What was not said, because the replay failed before, is not compared.
    """
    for kind, check in _CHECKS.items():
        said = [getattr(command, kind) for command in commands if command.HasField(kind)]
        yield from check(history.events, said)


def _arguments(events: Sequence[Any], said: Sequence[Any]) -> Iterator[Violation]:
    """Activities are told apart by their ids: one that was cut before it was sent has no event."""
    left: dict[str, list[Any]] = {}
    for command in said:
        left.setdefault(command.activity_id, []).append(command)
    for event in events:
        scheduled = event.activity_task_scheduled_event_attributes
        if left.get(scheduled.activity_id):
            command = left[scheduled.activity_id].pop(0)
            node = node_of_id(scheduled.activity_id)
            found = scheduled.input.payloads
            yield from _payloads(event.event_id, node, "arguments", command.arguments, found)
            yield from _lane(event.event_id, node, command, scheduled)


def _lane(event_id: int, node: str, command: Any, scheduled: Any) -> Iterator[Violation]:
    """Where it runs, how far up the queue, and how often it is tried; as far as the run says so."""
    queue = "" if command.task_queue.startswith(OWN_QUEUE) else command.task_queue
    said = {
        "task_queue": (queue, scheduled.task_queue.name),
        "priority": (command.priority.priority_key, scheduled.priority.priority_key),
        "maximum_attempts": (
            command.retry_policy.maximum_attempts,
            scheduled.retry_policy.maximum_attempts,
        ),
    }
    for check, (expected, found) in said.items():
        if expected:
            yield from unless_equal(event_id, node, check, expected, found)


def _payloads(
    event_id: int, node: str, check: str, expected: Sequence[Any], found: Sequence[Any]
) -> Iterator[Violation]:
    """A field that only the replay has is younger than the history, and has its default there."""
    yield from unless_equal(event_id, node, check, len(expected), len(found))
    for said, stored in zip(expected, found, strict=False):
        for one in _unlike(said, stored, check):
            if one.found is not ABSENT:
                yield violation(event_id, node, one.path, one.expected, one.found)


def _attributes(events: Sequence[Any], said: Sequence[Any]) -> Iterator[Violation]:
    kind = "upsert_workflow_search_attributes_event_attributes"
    upserts = (event for event in events if event.HasField(kind))
    for event, command in zip(upserts, said, strict=False):
        stored = getattr(event, kind).search_attributes.indexed_fields
        for name, payload in command.search_attributes.indexed_fields.items():
            for one in _unlike(payload, stored[name], name):
                yield violation(event.event_id, "", name, one.expected, one.found)


def _result(events: Sequence[Any], said: Sequence[Any]) -> Iterator[Violation]:
    last = events[-1]
    stored = last.workflow_execution_completed_event_attributes.result.payloads
    for command in said if stored else ():
        for one in _unlike(command.result, stored[0], "result"):
            yield violation(last.event_id, "", one.path, one.expected, one.found)


def _failure(events: Sequence[Any], said: Sequence[Any]) -> Iterator[Violation]:
    """What it failed with; where in the code it did so may have moved."""
    last = events[-1]
    if not last.HasField("workflow_execution_failed_event_attributes"):
        return
    stored = last.workflow_execution_failed_event_attributes.failure
    for command in said:
        failure, info = command.failure, stored.application_failure_info
        expected = (failure.application_failure_info.type, failure.message)
        yield from unless_equal(last.event_id, "", "error", expected, (info.type, stored.message))
        details = failure.application_failure_info.details.payloads
        for detail, kept in zip(details, info.details.payloads, strict=False):
            for one in _unlike(detail, kept, "result"):
                yield violation(last.event_id, "", one.path, one.expected, one.found)


def _unlike(said: Any, stored: Any, path: str) -> list[Difference]:
    """Where two payloads differ; what is no JSON differs as a whole."""
    if said.data == stored.data:
        return []
    try:
        return list(differences(value_of(said), value_of(stored), path))
    except Undecodable as error:
        return [Difference(path, error.expected, error.found)]


_CHECKS: Mapping[str, Any] = {
    "schedule_activity": _arguments,
    "upsert_workflow_search_attributes": _attributes,
    "complete_workflow_execution": _result,
    "fail_workflow_execution": _failure,
}
