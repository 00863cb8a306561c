"""What a workflow logs is logged when it happens, and never again."""

from __future__ import annotations

import logging

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Replayer, Worker

from forerun.workers.plugin import forerun_plugin


@workflow.defn(sandboxed=False)
class Outspoken:
    """Says one thing before it waits, and one after it."""

    @workflow.run
    async def run(self) -> None:
        workflow.logger.warning("before", extra={"why": "to be heard"})
        await workflow.sleep(0.001)
        workflow.logger.warning("after")


async def test_a_replay_logs_nothing(
    temporal_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither that of an audit, nor that of a worker which takes over a run."""
    async with Worker(
        temporal_client, task_queue="outspoken", workflows=[Outspoken], max_cached_workflows=0
    ):
        handle = await temporal_client.start_workflow(
            Outspoken.run, id="outspoken", task_queue="outspoken"
        )
        await handle.result()
    history = await handle.fetch_history()
    await Replayer(workflows=[Outspoken], plugins=[forerun_plugin()]).replay_workflow(history)

    said = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage().split(" ")[0] for record in said] == ["before", "after"]
