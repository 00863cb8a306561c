"""Who polls a task queue, as the server sees it: the only honest meaning of "ready"."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from forerun.workers.connection import away

WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY

POLL_SECONDS = 0.05

Polled = tuple[str, TaskQueueType.ValueType]
"""A task queue, and what is polled from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poller:
    """One who polled in the last minutes: `seen` is when, by the server's clock.

    `build` is what it runs, `forerun-` and a version for our own workers.
    """

    identity: str
    seen: datetime
    build: str


async def pollers(client: Client, polled: Polled) -> set[str]:
    """The identities of those who polled in the last minutes."""
    return {poller.identity for poller in await who_polls(client, polled)}


async def who_polls(client: Client, polled: Polled) -> list[Poller]:
    """Those who polled in the last minutes; a poll that waits is as old as its begin, up to 60 s."""
    queue, kind = polled
    found = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
    )
    return [
        Poller(
            identity=poller.identity,
            seen=poller.last_access_time.ToDatetime(UTC),
            build=poller.worker_version_capabilities.build_id,
        )
        for poller in found.pollers
    ]


async def until_polled(client: Client, all_polled: Sequence[Polled]) -> None:
    """Return once workers with the identity of `client` poll them all. The caller sets a deadline.

    The identity names this process: what is left of an earlier one on the same database, or another
    worker on a shared server, does not count.

    Raises:
        RPCError: the server refuses to tell.
    """
    for polled in all_polled:
        while not await _polls(client, polled):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(POLL_SECONDS)


async def _polls(client: Client, polled: Polled) -> bool:
    try:
        return client.identity in await pollers(client, polled)
    except RPCError as error:
        if away(error):
            return False
        raise
