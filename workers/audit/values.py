"""What a run said while it was replayed, compared with what its history says that it said.

Arguments of activities, search attributes and the result: replay compares none of them. What local
activities were told is in `told`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from temporalio.client import WorkflowHistory

from forerun.workers.audit.differences import ABSENT, differences
from forerun.workers.audit.payloads import value_of, values_of
from forerun.workers.audit.records import Undecodable
from forerun.workers.audit.run import node_of_id
from forerun.workers.audit.violation import Violation, unless_equal, violation


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
            expected = left[scheduled.activity_id].pop(0).arguments
            node = node_of_id(scheduled.activity_id)
            found = scheduled.input.payloads
            yield from _payloads(event.event_id, node, "arguments", expected, found)


def _payloads(
    event_id: int, node: str, check: str, expected: Sequence[Any], found: Sequence[Any]
) -> Iterator[Violation]:
    """A field that only the replay has is younger than the history, and has its default there."""
    yield from unless_equal(event_id, node, check, len(expected), len(found))
    for said, stored in zip(expected, found, strict=False):
        try:
            unlike = list(differences(value_of(said), value_of(stored), check))
        except Undecodable as error:
            yield violation(event_id, node, check, error.expected, error.found)
            continue
        for one in unlike:
            if one.found is not ABSENT:
                yield violation(event_id, node, one.path, one.expected, one.found)


def _attributes(events: Sequence[Any], said: Sequence[Any]) -> Iterator[Violation]:
    """By their numbers: a server may spell 0.0 as 0."""
    upserts = (
        e for e in events if e.HasField("upsert_workflow_search_attributes_event_attributes")
    )
    for event, command in zip(upserts, said, strict=False):
        stored = event.upsert_workflow_search_attributes_event_attributes.search_attributes
        for name, payload in command.search_attributes.indexed_fields.items():
            try:
                expected, found = value_of(payload), value_of(stored.indexed_fields[name])
            except Undecodable as error:
                yield violation(event.event_id, "", name, error.expected, error.found)
            else:
                yield from unless_equal(event.event_id, "", name, expected, found)


def _result(events: Sequence[Any], said: Sequence[Any]) -> Iterator[Violation]:
    last = events[-1]
    stored = last.workflow_execution_completed_event_attributes
    if last.HasField("workflow_execution_completed_event_attributes"):
        for command in said:
            yield from _same(last.event_id, [value_of(command.result)], stored.result)


def _failure(events: Sequence[Any], said: Sequence[Any]) -> Iterator[Violation]:
    """What it failed with; where in the code it did so may have moved."""
    last = events[-1]
    if not last.HasField("workflow_execution_failed_event_attributes"):
        return
    stored = last.workflow_execution_failed_event_attributes.failure
    for command in said:
        expected, info = command.failure, command.failure.application_failure_info
        yield from unless_equal(last.event_id, "", "error", expected.message, stored.message)
        details = stored.application_failure_info.details
        yield from unless_equal(
            last.event_id, "", "error", info.type, stored.application_failure_info.type
        )
        yield from _same(last.event_id, values_of(info.details), details)


def _same(event_id: int, expected: list[Any], payloads: Any) -> Iterator[Violation]:
    try:
        found = values_of(payloads)
    except Undecodable as error:
        yield violation(event_id, "", "result", error.expected, error.found)
        return
    for one in differences(expected, found):
        path = one.path.replace("[0]", "result", 1)
        yield violation(event_id, "", path, one.expected, one.found)


_CHECKS: Mapping[str, Any] = {
    "schedule_activity": _arguments,
    "upsert_workflow_search_attributes": _attributes,
    "complete_workflow_execution": _result,
    "fail_workflow_execution": _failure,
}
