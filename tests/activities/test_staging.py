"""Stages around a real server: made on guesses, thrown away by their run or by the sweep.

What happened is asserted on the drafts' database, not on what the code under test says of itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from forerun.activities.call_result import Completed, Cut
from forerun.activities.effects.drafts import Draft
from forerun.activities.effects.staging import STAGE_REFUSED
from forerun.activities.intent import Swept
from forerun.activities.registry import INVALID_ARGUMENTS, WRONG_KIND
from forerun.activities.stageable import Stage
from forerun.speculation.billing import Basis, exact_cost
from tests.activities.databases import rows
from tests.activities.staging_house import BILL, BUG, StagingHouse, StagingWorkflow


@pytest.fixture
def house(temporal_client: Client, tmp_path: Path) -> StagingHouse:
    return StagingHouse(temporal_client, str(tmp_path))


async def test_staged_discarded_committed(house: StagingHouse) -> None:
    """Of two guesses one is committed under the key of its stage, and the other one is gone."""
    right, wrong = house.intent(BILL), house.intent(BUG)
    async with house.working():
        handle = await house.start(stage=(right, wrong), discard=(wrong,), commit=(right,))
        staged = await handle.query(StagingWorkflow.stages)
        assert [it.output for it in staged if isinstance(it, Completed)] == [
            right.digest,
            wrong.digest,
        ]
        assert house.states() == [(handle.id, "staged")] * 2
        await handle.signal("approve", {"node": "draft", "by": "ann"})
        await handle.signal(StagingWorkflow.proceed)
        await handle.signal(StagingWorkflow.proceed)
        (receipt,) = await handle.result()
    assert house.states() == [(handle.id, "committed"), (handle.id, "discarded")]
    keys = {row["idempotency_key"] for row in rows(house.url, "drafts")}
    assert keys == {receipt.idempotency_key}


async def test_no_stage_without_its_gate(house: StagingHouse) -> None:
    """A stage opens nothing: the commit of what was staged needs its approval all the same."""
    intent = house.intent()
    async with house.working():
        handle = await house.start(stage=(intent,), commit=(intent,))
        await handle.signal(StagingWorkflow.proceed)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert house.states() == [(handle.id, "staged")]


async def test_lost_replies(house: StagingHouse) -> None:
    """Staged, discarded or committed by an attempt whose reply was lost: the next finds it done."""
    right, wrong = house.intent(BILL, "test.lost_reply"), house.intent(BUG, "test.lost_reply")
    async with house.working():
        handle = await house.start(stage=(right, wrong), discard=(wrong,), commit=(right,))
        staged = await handle.query(StagingWorkflow.stages)
        assert [it.bill.attempts for it in staged] == [2, 2]
        assert [it.bill.cost for it in staged] == [exact_cost(Decimal("0.02"))] * 2
        await handle.signal(StagingWorkflow.proceed)
        await handle.signal(StagingWorkflow.proceed)
        await handle.result()
    assert house.states() == [(handle.id, "committed"), (handle.id, "discarded")]


async def test_stage_before_a_reset(house: StagingHouse) -> None:
    """What was staged before a reset is committed after it, under the same key."""
    intent = house.intent(name="test.lost_reply")
    async with house.working():
        handle = await house.start(stage=(intent,), commit=(intent,))
        again = await house.reset(handle, 2)
        await again.signal(StagingWorkflow.proceed)
        await again.signal(StagingWorkflow.proceed)
        await again.result()
    assert house.states() == [(handle.id, "committed")]


async def test_sweep_of_closed_runs(house: StagingHouse) -> None:
    """What a dead run left is discarded, what a live one may still use is kept, nothing twice."""
    async with house.working():
        dead = await house.start(stage=(house.intent(BILL), house.intent(BUG)))
        live = await house.start(stage=(house.intent(),))
        await dead.terminate()
        assert await house.sweep(older_than_seconds=3600) == Swept(discarded=0, kept=0)
        assert await house.sweep() == Swept(discarded=2, kept=1)
        assert await house.sweep() == Swept(discarded=0, kept=1)
        await live.terminate()
    assert house.states() == sorted(
        [(dead.id, "discarded"), (dead.id, "discarded"), (live.id, "staged")]
    )


async def test_sweep_after_a_reset(house: StagingHouse) -> None:
    """A run that goes on after a reset makes the same stage again, and keeps it."""
    async with house.working():
        handle = await house.start(stage=(house.intent(BILL),))
        again = await house.reset(handle, 1)
        await house.task_done(again, 2)
        assert await house.sweep() == Swept(discarded=0, kept=1)
        assert house.states() == [(handle.id, "staged")]
        await again.terminate()


async def test_sweep_of_a_used_workflow_id(house: StagingHouse) -> None:
    """A new run under the id of an old one does not keep the old one's stages."""
    id = f"again-{uuid4()}"
    async with house.working():
        old = await house.start(stage=(house.intent(BILL),), id=id)
        await old.terminate()
        new = await house.start(stage=(house.intent(BUG),), id=id)
        assert await house.sweep() == Swept(discarded=1, kept=1)
        await new.terminate()


async def test_sweep_of_what_no_run_knows(house: StagingHouse) -> None:
    """A stage of a run that the server has forgotten, or of arguments that its run never named."""
    async with house.working():
        run = await house.start(stage=(house.intent(BILL),))
        unknown = Stage(
            workflow_id=run.id,
            first_run_id=run.first_execution_run_id or "",
            intent="draft",
            digest=house.intent(BUG).digest,
        )
        for stage in (unknown, replace(unknown, workflow_id=f"forgotten-{uuid4()}")):
            await house.drafts.stage(Draft(**BUG), stage)
        assert await house.sweep() == Swept(discarded=2, kept=1)
        await run.terminate()


async def test_cut_while_staging(house: StagingHouse) -> None:
    """A stage that is cut says so, and that it may have been paid for; discarding it is final."""
    intent = house.intent(name="test.hung")
    async with house.working():
        run = await house.start()
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info,
            workflow_id=run.id,
            workflow_run_id=run.first_execution_run_id,
        )
        staging = asyncio.ensure_future(environment.run(house.stages.stage, intent.staging()))
        await house.mishaps.staging.wait()
        environment.cancel(ActivityCancellationDetails(cancel_requested=True))
        result = await staging
        await run.terminate()
    assert isinstance(result, Cut)
    assert result.bill.cost.basis is Basis.ESTIMATED


async def test_refused(house: StagingHouse) -> None:
    """What is not stageable, not valid, not what it says, or of no run, is refused for good."""
    request, environment = house.intent().staging(), ActivityEnvironment()
    environment.info = replace(environment.info, workflow_id=None, workflow_run_id=None)
    for wrong, type in (
        (request, STAGE_REFUSED),
        (replace(request, digest=house.intent(BUG).digest), STAGE_REFUSED),
        (replace(request, operation="outbox.put"), WRONG_KIND),
        (replace(request, arguments={"title": 1}), INVALID_ARGUMENTS),
    ):
        with pytest.raises(ApplicationError) as raised:
            await environment.run(house.stages.stage, wrong)
        assert (raised.value.type, raised.value.non_retryable) == (type, True)
    with pytest.raises(ApplicationError, match="only a run has stages"):
        await environment.run(house.stages.discard, house.intent().discarding())
