"""At most one commit per intent: after lost replies, resets, cancellation and second requests.

Each test runs a real workflow against a real server. What happened is asserted on the outbox and on
the history, not on what the code under test says of itself.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError

from tests.activities.commit_house import (
    OTHER,
    House,
    TrustingWorkflow,
    said,
    scheduled_commits,
    wish,
)


@pytest.fixture
def house(temporal_client: Client, tmp_path: Path) -> House:
    return House(temporal_client, tmp_path / "outbox.sqlite3")


async def test_retry_after_a_lost_reply(house: House) -> None:
    """An effect whose reply was lost is tried again and has still happened once."""
    async with house.workflows(), house.commits():
        handle = await house.start(wish("test.lost_reply"), signals=1)
        await handle.signal(*said("approve", "ann"))
        (receipt,) = await handle.result()
        assert await scheduled_commits(handle) == 1
    assert receipt.bill.attempts == 2
    assert str(receipt.bill.cost.best_usd) == "0.02"
    (row,) = house.rows()
    assert receipt.receipt["committed_at"] == row["committed_at"]


async def test_reset_repeats_no_effect(house: House) -> None:
    """A reset run asks again, has the same key, and gets the receipt of the first time."""
    async with house.workflows(), house.commits():
        handle = await house.start(wish(), signals=1)
        await handle.signal(*said("approve", "ann"))
        (first,) = await handle.result()
        answer = await house.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=house.client.namespace,
                workflow_execution=WorkflowExecution(
                    workflow_id=handle.id, run_id=handle.first_execution_run_id or ""
                ),
                reason="test",
                workflow_task_finish_event_id=4,
                request_id=str(uuid4()),
            )
        )
        again = house.client.get_workflow_handle_for(
            TrustingWorkflow.run, handle.id, run_id=answer.run_id
        )
        (second,) = await again.result()
    assert first.receipt == second.receipt
    assert len(house.rows()) == 1


async def test_same_workflow_id_again(house: House) -> None:
    """A new run under a used workflow id is another effect, and needs an approval of its own."""
    async with house.workflows(), house.commits():
        for _ in range(2):
            handle = await house.start(wish(), signals=1, workflow_id=f"again-{house.queue}")
            await handle.signal(*said("approve", "ann"))
            await handle.result()
        assert len(house.rows()) == 2
        handle = await house.start(wish(), workflow_id=f"again-{house.queue}")
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert len(house.rows()) == 2


async def test_cancelled_while_it_happens(house: House) -> None:
    """A commit that is cancelled in the middle runs to its end, and the run learns of it."""
    async with house.workflows(), house.commits():
        handle = await house.start(wish("test.slow"), signals=1)
        await handle.signal(*said("approve", "ann"))
        await house.effects.running.wait()
        await handle.cancel()
        (receipt,) = await handle.result()
    (row,) = house.rows()
    assert receipt.receipt["key"] == row["idempotency_key"]


async def test_second_commit_of_one_intent(house: House) -> None:
    """The same intent with the same arguments is the same effect; with others it is refused."""
    approve = said("approve", "ann")
    first, again = await house.run(wish(), wish(), signals=[approve])
    assert first.receipt == again.receipt
    error = await house.refusal(wish(), wish(arguments=OTHER), signals=[approve])
    assert "before with other arguments" in error.message
    error = await house.refusal(wish(), wish("test.auto"), signals=[approve])
    assert "before with other arguments" in error.message
    assert len(house.rows()) == 3
