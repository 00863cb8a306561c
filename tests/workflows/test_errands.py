"""An error that nobody awaits is seen: a run never hangs in silence."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from forerun.workflows.errands import errand

MENDED = asyncio.Event()
"""Set once a worker is there that has the code without the mistake."""


@workflow.defn(name="Errands", sandboxed=False)
class Errands:
    """Waits for what an errand brings."""

    def __init__(self) -> None:
        self.brought = False

    @workflow.run
    async def run(self) -> bool:
        errand(self._bring())
        await workflow.wait_condition(lambda: self.brought)
        return self.brought

    async def _bring(self) -> None:
        await workflow.sleep(0.01)
        if not MENDED.is_set():
            raise LookupError("a mistake of ours")
        self.brought = True


async def test_an_error_that_nobody_expects_fails_the_workflow_task(
    temporal_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """With its own words in the history; the run goes on once the mistake is mended."""
    queue = f"errands-{uuid4()}"
    async with Worker(temporal_client, task_queue=queue, workflows=[Errands]):
        handle = await temporal_client.start_workflow(Errands.run, id=queue, task_queue=queue)
        failed = None
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.HasField("workflow_task_failed_event_attributes"):
                failed = event.workflow_task_failed_event_attributes.failure
                break
        MENDED.set()

        assert await handle.result() is True

    assert failed is not None
    assert failed.message == "a mistake of ours"
    assert "a mistake of ours" in caplog.text
