"""Who works: the pollers of the four roles, and how many guesses may run at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.workflowservice.v1 import ListWorkersRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from forerun import __version__
from forerun.workers.doctor.finding import Finding, fail, ok, warn
from forerun.workers.pollers import ACTIVITIES, WORKFLOWS, Poller, who_polls
from forerun.workers.roles import Role

OLD_SECONDS = 75
"""A poll waits up to 60 s; whoever has not come back since is gone, or about to be."""

WITHOUT = {
    Role.WORKFLOW: "runs are accepted, and do not start",
    Role.CALL: "calls wait for ever",
    Role.SPECULATIVE: "guesses queue, and save nothing",
    Role.COMMIT: "approved effects wait for ever",
}
OURS = f"forerun-{__version__}"


async def look_at_queue(client: Client, role: Role, now: datetime) -> Finding:
    """Who plays `role`. `now` is the server's time.

    Raises:
        RPCError: the server refuses to tell.
    """
    kinds = [WORKFLOWS, ACTIVITIES] if role is Role.WORKFLOW else [ACTIVITIES]
    by_kind = [await who_polls(client, (role.queue, kind)) for kind in kinds]
    return queue(role, min(by_kind, key=len), now)


def queue(role: Role, pollers: Sequence[Poller], now: datetime) -> Finding:
    """What follows from these pollers of the queue of `role`."""
    subject, command = f"role {role}", f"forerun worker --roles {role}"
    judge = warn if role is Role.SPECULATIVE else fail
    if not pollers:
        return judge(subject, f"nobody polls {role.queue}", WITHOUT[role], command)
    ago = (now - max(poller.seen for poller in pollers)).total_seconds()
    seen = f"last seen {max(round(ago), 0)} s ago"
    if ago > OLD_SECONDS:
        return judge(subject, f"nobody polls {role.queue} now, {seen}", WITHOUT[role], command)
    others = sorted({poller.build for poller in pollers} - {OURS})
    many = f"{len(pollers)} worker{'s' * (len(pollers) != 1)} on {role.queue}, {seen}"
    if others:
        what = f"{many}, of {', '.join(build or 'no version' for build in others)}, not {OURS}"
        return warn(subject, what, "runs may replay with other code", "deploy one version")
    return ok(subject, many)


async def look_at_slots(client: Client) -> Finding:
    """How many speculative calls may run at once, as workers report it once a minute.

    Raises:
        RPCError: the server refuses to tell.
    """
    request = ListWorkersRequest(
        namespace=client.namespace, query=f'TaskQueue="{Role.SPECULATIVE.queue}"'
    )
    try:
        listed = await client.workflow_service.list_workers(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:
            raise
        return _unknown("this server keeps no list of workers", "upgrade the Temporal server")
    reports = [
        it.worker_heartbeat.activity_task_slots_info
        for it in listed.workers_info
        if it.worker_heartbeat.status == WorkerStatus.WORKER_STATUS_RUNNING
    ]
    if not reports:
        return _unknown("no worker has reported any yet: they do once a minute", "forerun doctor")
    free = sum(report.current_available_slots for report in reports)
    return slots(free=free, used=sum(report.current_used_slots for report in reports))


def slots(*, free: int, used: int) -> Finding:
    """What follows from these numbers."""
    what = f"{free + used} speculative slots, {used} in use"
    if free:
        return ok("slots", what)
    return warn(
        "slots",
        what,
        "launched guesses queue, and save less than was expected",
        "forerun worker --roles speculative --speculative-slots 16",
    )


def _unknown(what: str, fix: str) -> Finding:
    return warn("slots", what, "how many guesses run at once is unknown", fix)
