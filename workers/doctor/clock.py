"""How far this machine's clock is from the server's.

No call of the server's API says what time it is there. But a poll is noted with its time, and whoever
asks who polls is told; so the doctor polls once, from a task queue that nobody else uses, and knows
the server's time as exactly as these two calls take.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from forerun.workers.doctor.finding import Finding, ok, warn
from forerun.workers.pollers import ACTIVITIES, who_polls

QUEUE = "forerun-doctor"
LOOKS = 3
"""The first is slow: the server has to load the queue."""
BETWEEN_SECONDS = 0.002
POLL = timedelta(seconds=10)
MUCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """Seconds that the server is ahead of this machine, give or take `within`."""

    seconds: float
    within: float


async def offset(client: Client) -> Offset:
    """The offset, from the fastest of some looks. The caller sets a deadline.

    Raises:
        RPCError: the server refuses.
    """
    looks = [await _look(client) for _ in range(LOOKS)]
    return min(looks, key=lambda look: look.within)


def clock(found: Offset) -> Finding:
    """What follows from it."""
    exactness = f"± {_ms(found.within)} ms"
    if abs(found.seconds) - found.within < MUCH_SECONDS:
        return ok("clock", f"{_ms(found.seconds):+d} ms from the server's ({exactness})")
    return warn(
        "clock",
        f"{found.seconds:+.1f} s from the server's ({exactness})",
        "logs, metrics and prices of this machine do not line up with histories",
        "sudo timedatectl set-ntp true",
    )


async def _look(client: Client) -> Offset:
    who, began = f"doctor-{uuid.uuid4()}", time.time()
    poll = asyncio.create_task(_poll(client, who))
    try:
        while True:
            known = await who_polls(client, (QUEUE, ACTIVITIES))
            ended = time.time()
            for poller in known:
                if poller.identity == who:
                    there = poller.seen.timestamp()
                    return Offset(seconds=there - (began + ended) / 2, within=(ended - began) / 2)
            if poll.done():
                poll.result()  # the server refuses it
            await asyncio.sleep(BETWEEN_SECONDS)
    finally:
        poll.cancel()
        with suppress(asyncio.CancelledError, RPCError):
            await poll


async def _poll(client: Client, identity: str) -> None:
    request = PollActivityTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=QUEUE), identity=identity
    )
    await client.workflow_service.poll_activity_task_queue(request, timeout=POLL)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
