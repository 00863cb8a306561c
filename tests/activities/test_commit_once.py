"""At most one commit per intent: after lost replies, resets, cancellation and second requests.

Each test runs a real workflow against a real server. What happened is asserted on the outbox and on
the history, not on what the code under test says of itself.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError

from forerun.speculation.canonical import digest
from tests.activities.commit_house import (
    OTHER,
    House,
    refusal_of,
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
        (second,) = await (await house.reset(handle)).result()
    assert first.receipt == second.receipt
    assert len(house.rows()) == 1


async def test_approval_outlives_a_reset_with_its_arguments(house: House) -> None:
    """After a reset an approval still stands, for the arguments it named and no others.

    The server hands the signals of the old run to the new one; a blind one covers what comes.
    """
    named = said("approve", "ann", digest=digest(OTHER))
    blind = said("approve", "ben")
    async with house.workflows(), house.commits():
        for signals, approver in (([named], None), ([named, blind], "ben")):
            handle = await house.start(wish(), signals=len(signals))
            for signal in signals:
                await handle.signal(*signal)
            await asyncio.gather(handle.result(), return_exceptions=True)
            again = await house.reset(handle)
            if approver is None:
                with pytest.raises(WorkflowFailureError) as raised:
                    await again.result()
                assert "'ann' approves digest" in refusal_of(raised.value).message
            else:
                (receipt,) = await again.result()
                assert (receipt.approved_by, receipt.blind) == (approver, True)
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
