"""From the events of a history to a `Run`; whatever does not decode is a violation at its event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from temporalio.client import WorkflowHistory

from forerun.workers.audit.clock import Clock
from forerun.workers.audit.form import CLOSED, kind_of
from forerun.workers.audit.history import run_id_of
from forerun.workers.audit.payloads import json_of, object_of, only, value_of, values_of
from forerun.workers.audit.problems import Problems
from forerun.workers.audit.reading_calls import read_calls
from forerun.workers.audit.records import Entry, Undecodable, decode
from forerun.workers.audit.run import BOOKS, OPEN, Close, Marker, Run, Signal, Turn
from forerun.workers.audit.violation import Violation, shown
from forerun.workflows.graph import Graph
from forerun.workflows.search_attributes import WORKLOAD
from forerun.workflows.spec import SpecError, parse_graph
from forerun.workflows.spec_model import Spec

AGENT_DAG = "AgentDag"
SET_POLICY = "set_policy"
LOCAL_ACTIVITY = "core_local_activity"


def read_run(history: WorkflowHistory) -> tuple[Run, list[Violation]]:
    """The run that a history tells of, and what in it does not decode."""
    problems, events = Problems(), history.events
    started = events[0].workflow_execution_started_event_attributes
    type = started.workflow_type.name
    spec, graph = _spec(started.input, problems) if type == AGENT_DAG else (None, None)
    clock = Clock(events)
    run = Run(
        workflow_id=history.workflow_id,
        run_id=run_id_of(history),
        first_run_id=started.first_execution_run_id,
        workflow_type=type,
        workload=spec.workload if spec else _workload(events),
        graph=graph,
        times=clock.times,
        calls=tuple(read_calls(events, clock, problems)),
        markers=tuple(_markers(events, type, problems)),
        signals=tuple(_signals(events)),
        turns=tuple(_turns(events, problems)),
        close=_close(events[-1], type, problems),
    )
    return run, problems.found


def _spec(payloads: Any, problems: Problems) -> tuple[Spec | None, Graph | None]:
    with problems.at(1, "input"):
        values = values_of(payloads)
        with suppress(SpecError):  # such a run fails, and its replay shows that it must
            return parse_graph(values[0] if len(values) == 1 else values)
    return None, None


def _workload(events: Sequence[Any]) -> str | None:
    """What the run has told the server's search, if its search knows of workloads."""
    for event in events:
        upserted = event.upsert_workflow_search_attributes_event_attributes.search_attributes
        if WORKLOAD.name in upserted.indexed_fields:
            with suppress(Undecodable):
                told = value_of(upserted.indexed_fields[WORKLOAD.name])
                return told if isinstance(told, str) else None
    return None


def _markers(events: Sequence[Any], workflow_type: str, problems: Problems) -> Iterator[Marker]:
    """The local activities that wrote records; a workflow of a user's own may have others.

    One that failed wrote nothing down.
    """
    for event in events:
        attributes = event.marker_recorded_event_attributes
        if attributes.marker_name == LOCAL_ACTIVITY and not attributes.HasField("failure"):
            with problems.at(event.event_id, "marker"):
                about = object_of(json_of(only(attributes.details["data"].payloads).data))
                if workflow_type == AGENT_DAG or about.get("activity_type") in BOOKS:
                    yield _marker(event.event_id, about, attributes, problems)


def _marker(event_id: int, about: dict[str, Any], attributes: Any, problems: Problems) -> Marker:
    marker = only(values_of(attributes.details["result"]))
    records = object_of(marker).get("records")
    if not isinstance(records, list):
        raise Undecodable('{"records": [...]}', shown(marker))
    if len(marker) > 1:
        problems.note(event_id, "", "marker", "records and nothing else", ", ".join(marker))
    entries = [_entry(event_id, raw, problems) for raw in cast("list[Any]", records)]
    seq = about.get("seq")
    return Marker(
        event_id=event_id,
        seq=seq if isinstance(seq, int) else 0,
        type=str(about.get("activity_type")),
        entries=tuple(entries),
    )


def _entry(event_id: int, raw: Any, problems: Problems) -> Entry:
    entry, found = decode(event_id, raw)
    problems.found += found
    return entry


def _signals(events: Sequence[Any]) -> Iterator[Signal]:
    for event in events:
        if kind_of(event) == "workflow_execution_signaled":
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
    """What was asked stands with the acceptance; after a reset it stands where it came again."""
    admitted: dict[str, Any] = {}
    for event in events:
        kind = kind_of(event)
        if kind == "workflow_execution_update_admitted":
            request = event.workflow_execution_update_admitted_event_attributes.request
            admitted[request.meta.update_id] = request
        if kind != "workflow_execution_update_accepted":
            continue
        accepted = event.workflow_execution_update_accepted_event_attributes
        request = admitted.get(accepted.protocol_instance_id, accepted.accepted_request)
        if request.input.name == SET_POLICY:
            with problems.at(event.event_id, SET_POLICY):
                yield Turn(
                    event_id=event.event_id,
                    at_ms=event.event_time.ToMilliseconds(),
                    update=only(values_of(request.input.args)),
                )


def _close(last: Any, workflow_type: str, problems: Problems) -> Close:
    """The end; what a workflow of a user's own returns is its own business."""
    how = CLOSED.get(kind_of(last))
    if how is None:
        return OPEN
    failure = last.workflow_execution_failed_event_attributes.failure
    close = Close(event_id=last.event_id, how=how, message=failure.message)
    if workflow_type != AGENT_DAG:
        return close
    result: Any = None
    with problems.at(last.event_id, "result"):
        if how == "completed":
            result = only(values_of(last.workflow_execution_completed_event_attributes.result))
        elif how == "failed":
            result = next(iter(values_of(failure.application_failure_info.details)), None)
    return replace(close, result=object_of(result) or None)
