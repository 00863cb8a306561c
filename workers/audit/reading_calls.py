"""The activities of a history: what each was asked, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from forerun.activities.call_result import Completed, Cut
from forerun.activities.comparison import Compared, CompareRequest
from forerun.activities.failures import bill_in
from forerun.activities.intent import STAGE, CommitReceipt, CommitRequest, StageRequest
from forerun.activities.model_call import ModelRequest
from forerun.activities.operation import ToolRequest
from forerun.workers.audit.clock import Clock
from forerun.workers.audit.payloads import only, values_of
from forerun.workers.audit.problems import Problems
from forerun.workers.audit.records import Undecodable, parsed
from forerun.workers.audit.run import COMMIT, COMPARE, MODEL_CALL, TOOL_CALL, Call, End


def read_calls(events: Sequence[Any], clock: Clock, problems: Problems) -> list[Call]:
    """Every activity with its end, if it has one, in the order in which they were scheduled."""
    calls = {call.event_id: call for call in _scheduled(events, clock, problems)}
    for scheduled_id, end, returned in _ends(events, clock):
        call = calls.get(scheduled_id)
        if call is None:
            problems.note(end.event_id, "", "activity", "one that was scheduled", scheduled_id)
        elif call.end is not None:
            found = f"a second one after event {call.end.event_id}"
            problems.note(end.event_id, call.node, "activity", "one end", found)
        else:
            with problems.at(end.event_id, "result", call.node):
                end = _understood(end, call.type, returned)
            calls[scheduled_id] = replace(call, end=end)
    return list(calls.values())


def _scheduled(events: Sequence[Any], clock: Clock, problems: Problems) -> Iterator[Call]:
    begun = dict(_begun(events))
    for event in events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            attributes = event.activity_task_scheduled_event_attributes
            type, id = attributes.activity_type.name, attributes.activity_id
            begun_id, attempt = begun.get(event.event_id, (None, 0))
            call = Call(
                event_id=event.event_id,
                id=id,
                type=type,
                asked=None,
                end=None,
                asked_ms=clock.asked(event.event_id),
                queued_ms=clock.at(event.event_id),
                begun_ms=None if begun_id is None else clock.at(begun_id),
                attempt=attempt,
            )
            with problems.at(event.event_id, "arguments", call.node):
                if type in _ASKED:
                    asked = parsed(_ASKED[type], only(values_of(attributes.input)))
                    call = replace(call, asked=asked)
            yield call


def _begun(events: Sequence[Any]) -> Iterator[tuple[int, tuple[int, int]]]:
    """By the event that scheduled an activity, that of its last start, and which attempt this was.

    The server writes it down with the end: of one that runs nothing is known but that it was asked.
    """
    for event in events:
        if event.HasField("activity_task_started_event_attributes"):
            attributes = event.activity_task_started_event_attributes
            yield attributes.scheduled_event_id, (event.event_id, attributes.attempt)


def _ends(events: Sequence[Any], clock: Clock) -> Iterator[tuple[int, End, Any]]:
    """The end of each activity, beside the event that scheduled it and what it returned, raw."""
    for event in events:
        id, returned = event.event_id, None
        match event.WhichOneof("attributes"):
            case "activity_task_completed_event_attributes":
                attributes = event.activity_task_completed_event_attributes
                end, returned = End(event_id=id, how="completed"), attributes.result
            case "activity_task_failed_event_attributes":
                attributes = event.activity_task_failed_event_attributes
                details = attributes.failure.application_failure_info.details
                end = End(event_id=id, how="failed", bill=bill_in(_values(details)))
            case "activity_task_timed_out_event_attributes":
                attributes = event.activity_task_timed_out_event_attributes
                # Its worker died: the last heartbeat is the only account left.
                details = attributes.failure.timeout_failure_info.last_heartbeat_details
                end = End(event_id=id, how="timed_out", bill=bill_in(_values(details)))
            case "activity_task_canceled_event_attributes":
                attributes = event.activity_task_canceled_event_attributes
                end = End(event_id=id, how="canceled")
            case _:
                continue
        end = replace(end, at_ms=clock.at(id), heard_ms=clock.heard(id))
        yield attributes.scheduled_event_id, end, returned


def _understood(end: End, type: str, returned: Any) -> End:
    """The end with what was returned; that of an errand is nobody's business."""
    if returned is None or type not in _RETURNED:
        return end
    result = parsed(_RETURNED[type], only(values_of(returned)))
    return replace(end, result=result, bill=result.bill)


def _values(payloads: Any) -> list[Any]:
    """Details of a failure, which may be anybody's: only our own hold a bill."""
    try:
        return values_of(payloads)
    except Undecodable:
        return []


_ASKED: Mapping[str, TypeAdapter[Any]] = {
    MODEL_CALL: TypeAdapter(ModelRequest),
    TOOL_CALL: TypeAdapter(ToolRequest),
    COMPARE: TypeAdapter(CompareRequest),
    STAGE: TypeAdapter(StageRequest),
    COMMIT: TypeAdapter(CommitRequest),
}
_CALL_RESULT: TypeAdapter[Any] = TypeAdapter(Completed | Cut)
_RETURNED: Mapping[str, TypeAdapter[Any]] = {
    MODEL_CALL: _CALL_RESULT,
    TOOL_CALL: _CALL_RESULT,
    COMPARE: TypeAdapter(Compared),
    STAGE: _CALL_RESULT,
    COMMIT: TypeAdapter(CommitReceipt),
}
