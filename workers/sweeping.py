"""Sweeps, for as long as a commit worker runs: what dead runs have staged is thrown away.

Each such worker asks the server for a sweep when it starts and then regularly. They share one
activity id, so there is one sweep at a time, however many workers there are; and as it belongs to
no run, nothing that happens to a run can keep it from coming.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import ActivityIDConflictPolicy, RetryPolicy
from temporalio.service import RPCError

from forerun.activities.intent import SWEEP, SweepRequest
from forerun.workflows.options import COMMIT_QUEUE, HEARTBEAT_TIMEOUT

EVERY_SECONDS = 600.0
SWEEP_ID = "forerun-sweep"
SWEEP_TIMEOUT = timedelta(minutes=10)
"""Sweeps are safe to break off and to repeat: the next one finds what this one has left."""

LOG = logging.getLogger(__name__)


async def sweep_regularly(client: Client) -> None:
    """Ask for sweeps until cancelled. A server that refuses is asked again next time."""
    while True:
        try:
            await ask_for_sweep(client, SweepRequest())
        except RPCError as error:
            LOG.warning("sweep.refused", extra={"why": error.message})
        await asyncio.sleep(EVERY_SECONDS)


async def ask_for_sweep(client: Client, request: SweepRequest) -> None:
    """Have some commit worker sweep, unless one does.

    Raises:
        RPCError: the server is away, or knows no activities without a run.
    """
    await client.start_activity(
        SWEEP,
        request,
        id=SWEEP_ID,
        task_queue=COMMIT_QUEUE,
        id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING,
        schedule_to_close_timeout=SWEEP_TIMEOUT,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=RetryPolicy(maximum_attempts=3),
        summary="throw away what dead runs have staged",
    )
