"""Runs that are queried all the time can be replayed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Replayer, Worker

from forerun.workers.plugin import forerun_plugin
from tests.workers.hazards import CutAtOnce, note

ROUNDS = 25
RUNS = 4


async def test_queries_and_signals_do_not_change_the_order_of_what_ends_at_once(
    temporal_client: Client,
) -> None:
    """Calls that are cut in the task that starts them end before that task does, queried or not."""
    queue = f"hazards-{uuid.uuid4()}"
    replayer = Replayer(workflows=[CutAtOnce], plugins=[forerun_plugin()])
    async with Worker(temporal_client, task_queue=queue, workflows=[CutAtOnce], activities=[note]):
        handles: list[Any] = [
            await temporal_client.start_workflow(
                CutAtOnce.run, ROUNDS, id=f"{queue}-{n}", task_queue=queue
            )
            for n in range(RUNS)
        ]
        async with _bothered(handles):
            await asyncio.gather(*(handle.result() for handle in handles))
        for handle in handles:
            await replayer.replay_workflow(await handle.fetch_history())


@asynccontextmanager
async def _bothered(handles: list[Any]) -> AsyncGenerator[None]:
    """Queries and signals without a pause, for the length of the block."""
    tasks = [asyncio.create_task(_bother(handle)) for handle in handles for _ in range(3)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _bother(handle: Any) -> None:
    while True:
        try:
            await handle.query(CutAtOnce.state)
            await handle.signal(CutAtOnce.hear)
        except RPCError:  # it is over, or evicted at this moment
            return
