"""From the events of a history to a `Run`; whatever does not decode is a violation at its event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from temporalio.client import WorkflowHistory

from forerun.workers.audit.history import run_id_of
from forerun.workers.audit.payloads import json_of, object_of, only, values_of
from forerun.workers.audit.problems import Problems
from forerun.workers.audit.reading_calls import read_calls
from forerun.workers.audit.records import Entry, Undecodable, decode
from forerun.workers.audit.run import OPEN, Close, HowClosed, Marker, Run, Signal, Turn
from forerun.workers.audit.violation import Violation, shown
from forerun.workflows.graph import Graph
from forerun.workflows.spec import SpecError, parse_graph

AGENT_DAG = "AgentDag"
SET_POLICY = "set_policy"
LOCAL_ACTIVITY = "core_local_activity"


def read_run(history: WorkflowHistory) -> tuple[Run, list[Violation]]:
    """The run that a history tells of, and what in it does not decode."""
    problems, events = Problems(), history.events
    _check_order(events, problems)
    started = events[0].workflow_execution_started_event_attributes
    values: list[Any] = []
    with problems.at(1, "input"):
        values = values_of(started.input)
    input = values[0] if len(values) == 1 else values
    run = Run(
        workflow_id=history.workflow_id,
        run_id=run_id_of(history),
        first_run_id=started.first_execution_run_id,
        workflow_type=started.workflow_type.name,
        input=input,
        graph=_graph(input) if started.workflow_type.name == AGENT_DAG else None,
        events=len(events),
        calls=tuple(read_calls(events, problems)),
        markers=tuple(_markers(events, problems)),
        signals=tuple(_signals(events)),
        turns=tuple(_turns(events, problems)),
        close=_close(events[-1], started.workflow_type.name, problems),
    )
    return run, problems.found


def _check_order(events: Sequence[Any], problems: Problems) -> None:
    """Event ids count from 1, and nothing comes after the end."""
    for position, event in enumerate(events, start=1):
        if event.event_id != position:
            problems.note(position, "", "event_id", position, event.event_id)
    for event in events[:-1]:
        if _kind(event) in CLOSED:
            problems.note(event.event_id, "", "events", "the end of the run last", "more events")


def _graph(input: Any) -> Graph | None:
    try:
        return parse_graph(input)[1]
    except SpecError:  # such a run fails, and its replay shows that it must
        return None


def _markers(events: Sequence[Any], problems: Problems) -> Iterator[Marker]:
    """The local activities that returned; one that failed wrote nothing down."""
    for event in events:
        attributes = event.marker_recorded_event_attributes
        if attributes.marker_name == LOCAL_ACTIVITY and not attributes.HasField("failure"):
            with problems.at(event.event_id, "marker"):
                yield _marker(event.event_id, attributes, problems)


def _marker(event_id: int, attributes: Any, problems: Problems) -> Marker:
    about = json_of(only(attributes.details["data"].payloads).data)
    marker = only(values_of(attributes.details["result"]))
    records = object_of(marker).get("records")
    if not isinstance(records, list):
        raise Undecodable('{"records": [...]}', shown(marker))
    if len(marker) > 1:
        problems.note(event_id, "", "marker", "records and nothing else", ", ".join(marker))
    entries = [_entry(event_id, raw, problems) for raw in cast("list[Any]", records)]
    return Marker(
        event_id=event_id,
        seq=object_of(about).get("seq", 0),
        type=str(object_of(about).get("activity_type")),
        entries=tuple(entries),
    )


def _entry(event_id: int, raw: Any, problems: Problems) -> Entry:
    entry, found = decode(event_id, raw)
    problems.found += found
    return entry


def _signals(events: Sequence[Any]) -> Iterator[Signal]:
    for event in events:
        if _kind(event) == "workflow_execution_signaled":
            attributes = event.workflow_execution_signaled_event_attributes
            yield Signal(
                event_id=event.event_id,
                name=attributes.signal_name,
                payload=_payload(attributes.input),
            )


def _payload(payloads: Any) -> Any:
    """What a signal carries, as the workflow takes it; what is no JSON decides nothing."""
    try:
        values = values_of(payloads)
    except Undecodable:
        return None
    return values[0] if len(values) == 1 else values


def _turns(events: Sequence[Any], problems: Problems) -> Iterator[Turn]:
    for event in events:
        asked = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        if asked.name == SET_POLICY:
            with problems.at(event.event_id, SET_POLICY):
                yield Turn(
                    event_id=event.event_id,
                    at_ms=event.event_time.ToMilliseconds(),
                    update=only(values_of(asked.args)),
                )


def _close(last: Any, workflow_type: str, problems: Problems) -> Close:
    how = CLOSED.get(_kind(last))
    if how is None:
        return OPEN
    result: Any = None
    error: str | None = None
    with problems.at(last.event_id, "result"):
        if how == "completed":
            result = only(values_of(last.workflow_execution_completed_event_attributes.result))
        elif how == "failed":
            failure = last.workflow_execution_failed_event_attributes.failure
            error = failure.application_failure_info.type
            result = next(iter(values_of(failure.application_failure_info.details)), None)
    # What a workflow of a user's own returns is its own business.
    ours = object_of(result) if workflow_type == AGENT_DAG else {}
    return Close(event_id=last.event_id, how=how, result=ours or None, error=error)


def _kind(event: Any) -> str:
    return (event.WhichOneof("attributes") or "").removesuffix("_event_attributes")


CLOSED: Mapping[str, HowClosed] = {
    "workflow_execution_completed": "completed",
    "workflow_execution_failed": "failed",
    "workflow_execution_canceled": "canceled",
    "workflow_execution_terminated": "terminated",
    "workflow_execution_timed_out": "timed_out",
    "workflow_execution_continued_as_new": "continued_as_new",
}
