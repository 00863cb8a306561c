"""What a run's history, read from the server, says about its effects.

For the commit that is being asked for, only what precedes the event that scheduled it counts: an
approval that came later cannot have been the reason for it. The server writes signals that arrive
during a workflow task behind the commands of that task, so everything the workflow had seen
precedes the event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from temporalio.activity import Info
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from forerun.activities.intent import STAGE
from forerun.speculation.approvals import Answer, ApprovalSignal, parse_signal

StageName = tuple[str | None, str | None]
"""Intent and digest: what a run has at most one stage of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A commit or a stage that the run asked for, in its own words; None where not to be read.

    The words are enough: one whose digest is not that of its arguments was refused.
    """

    intent: str | None
    operation: str | None
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What preceded the commit: well-formed approvals and rejections, and other commits.

    `first_run_id` is `first_execution_run_id`: a reset keeps it, a new run of the same id does not.
    """

    workflow_id: str
    run_id: str
    first_run_id: str
    signals: tuple[ApprovalSignal, ...]
    earlier: tuple[Scheduled, ...]


async def read_evidence(client: Client, info: Info) -> Evidence | None:
    """The evidence for the activity `info`; None if no run scheduled it."""
    workflow_id, run_id = info.workflow_id, info.workflow_run_id
    if workflow_id is None or run_id is None:
        return None
    first_run_id = ""
    signals: list[ApprovalSignal] = []
    commits: list[Scheduled] = []
    found: Evidence | None = None
    run = client.get_workflow_handle(workflow_id, run_id=run_id)
    async for event in run.fetch_history_events():
        if event.HasField("workflow_execution_started_event_attributes"):
            started = event.workflow_execution_started_event_attributes
            first_run_id = started.first_execution_run_id
        elif event.HasField("workflow_execution_signaled_event_attributes"):
            signals += await _signals(client, event)
        elif event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            if scheduled.activity_id == info.activity_id:
                # No break: an id may be used again once its activity has ended; the last is ours.
                found = Evidence(
                    workflow_id=workflow_id,
                    run_id=run_id,
                    first_run_id=first_run_id,
                    signals=tuple(signals),
                    earlier=tuple(commits),
                )
            if scheduled.activity_type.name == info.activity_type:
                commits.append(_scheduled(await _decoded(client, scheduled.input.payloads)))
    return found


async def first_run_id(client: Client, workflow_id: str, run_id: str) -> str:
    """`first_execution_run_id` of a run: from its history, where the evidence has it from too."""
    run = client.get_workflow_handle(workflow_id, run_id=run_id)
    first = await anext(run.fetch_history_events(page_size=1))
    return first.workflow_execution_started_event_attributes.first_execution_run_id


async def stages_in_use(client: Client, workflow_id: str, first_run_id: str) -> set[StageName]:
    """The stages that the run, open as it is now, has ever asked for; none once it is closed.

    A run that was reset goes on in another one, which knows nothing of what came after the reset.
    """
    try:
        current = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return set()
        raise
    if current.close_time is not None:
        return set()
    asked_for: set[StageName] = set()
    run = client.get_workflow_handle(workflow_id, run_id=current.run_id)
    async for event in run.fetch_history_events():
        if event.HasField("workflow_execution_started_event_attributes"):
            started = event.workflow_execution_started_event_attributes
            if started.first_execution_run_id != first_run_id:
                return set()  # the id is in use again, by another run
        elif event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            if scheduled.activity_type.name == STAGE:
                stage = _scheduled(await _decoded(client, scheduled.input.payloads))
                asked_for.add((stage.intent, stage.digest))
    return asked_for


async def _signals(client: Client, event: HistoryEvent) -> list[ApprovalSignal]:
    attributes = event.workflow_execution_signaled_event_attributes
    if attributes.signal_name not in get_args(Answer):
        return []
    payload = await _decoded(client, attributes.input.payloads)
    signal = parse_signal(cast("Answer", attributes.signal_name), payload)
    return [signal] if isinstance(signal, ApprovalSignal) else []


async def _decoded(client: Client, payloads: Sequence[Payload]) -> Any:
    """The one payload as JSON data; None where it is not JSON, or not one."""
    if len(payloads) != 1:
        return None
    try:
        (value,) = await client.data_converter.decode(payloads)
    except (KeyError, RuntimeError, ValueError):  # unknown encoding, or bytes that are not JSON
        return None
    return value


def _scheduled(request: Any) -> Scheduled:
    fields = cast("dict[str, Any]", request) if isinstance(request, dict) else {}
    return Scheduled(
        intent=fields.get("intent"),
        operation=fields.get("operation"),
        digest=fields.get("digest"),
    )
