"""Comparisons that fail, are cut or begin again: different, and every dollar on the bill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.client import Client
from temporalio.worker import Worker

from forerun.activities.call_result import Bill
from forerun.activities.comparison import CompareRequest
from forerun.speculation.billing import FREE, Basis, exact_cost
from forerun.speculation.pricing import Usage
from tests.activities.compare_flow import CompareFlow
from tests.activities.compare_house import (
    CLOSE,
    EMBEDDER,
    NEAR,
    ORIGINAL,
    House,
    embedding_usd,
    run,
)


@pytest.fixture(name="house")
async def _house(tmp_path: Path) -> AsyncGenerator[House]:
    async with House.of(tmp_path) as house:
        house.script()
        yield house


@pytest.mark.parametrize(
    ("fault", "says", "basis"),
    [
        ("429", "is rate limited", Basis.EXACT),
        ("500", "failed on the provider's side", Basis.EXACT),
        ("reset", "broke off its answer", Basis.ESTIMATED),
        ("stall", "did not answer in time", Basis.ESTIMATED),
    ],
)
async def test_a_check_that_fails_says_different(
    house: House, fault: str, says: str, basis: Basis
) -> None:
    """It is no error, nobody else is asked, and what it may have cost is on the bill."""
    house.script(fault=fault)
    embedder = house.embedder(silence_seconds=0.3)

    compared = await run(house.checks(similarity=embedder, judge=house.judge), ORIGINAL, NEAR)

    assert (compared.tier, compared.score) == (None, None)
    assert compared.reason == f"{EMBEDDER} {says}"
    assert compared.bill.cost.basis is basis
    true_usd = embedding_usd(ORIGINAL, NEAR)
    cost = compared.bill.cost
    assert basis is Basis.EXACT or (cost.low_usd or 0) <= true_usd <= (cost.high_usd or 0)
    assert house.asked() == ["text-embedding-3-small"]


async def test_a_missing_key_names_the_variable_to_set(house: House) -> None:
    """Nothing is sent."""
    checks = house.checks(similarity=house.embedder(api_key=" "))

    compared = await run(checks, ORIGINAL, NEAR)

    assert compared.reason.endswith("has no API key: set OPENAI_API_KEY on the worker")
    assert compared.bill.cost == FREE
    assert house.asked() == []


async def test_an_unknown_price_is_unknown(house: House) -> None:
    """Not free."""
    embedder = house.embedder(model="unheard-of")
    house.standin.set_rules([{"match": "", "reply": "", "ttft_ms": 0}])

    compared = await run(house.checks(similarity=embedder), ORIGINAL, NEAR)

    assert compared.tier == 3
    assert compared.bill.cost.basis is Basis.UNPRICED


async def test_an_earlier_attempt_stays_on_the_bill(house: House) -> None:
    """Also where this one asks two models, and where it asks none."""
    earlier = Bill(usage=Usage(input_tokens=7), cost=exact_cost(Decimal("0.5")))
    both = house.checks(similarity=house.embedder(), judge=house.judge)

    once = await run(house.checks(similarity=house.embedder(), judge=house.judge), ORIGINAL, CLOSE)
    again = await run(both, ORIGINAL, CLOSE, earlier=earlier)
    stopped = await run(house.checks(), "Pay 5 to us.", "Pay 6 to us.", earlier=earlier)

    assert again.bill.cost == once.bill.cost + earlier.cost
    assert again.bill.usage == once.bill.usage + earlier.usage
    assert again.bill.attempts == 2
    assert stopped.bill == earlier


def billed(beat: Any) -> bool:
    """Whether a heartbeat says that something has been sent."""
    return beat["bill"]["cost"]["basis"] == "estimated"


async def test_a_cut_comes_back_with_its_bill(house: House) -> None:
    """A check that nobody needs any more ends at once, and what was sent may be billed."""
    house.script(ttft_ms=60_000)

    compared = await run(house.checks(similarity=house.embedder()), ORIGINAL, NEAR, until=billed)

    assert (compared.tier, compared.reason) == (None, "cut")
    cost = compared.bill.cost
    assert (cost.low_usd or 0) <= embedding_usd(ORIGINAL, NEAR) <= (cost.high_usd or 0)
    await house.standin.idle()
    assert [entry["outcome"] for entry in house.standin.requests()] == ["disconnected"]


async def test_a_shutdown_is_no_verdict(house: House) -> None:
    """Another worker will compare."""
    house.script(ttft_ms=60_000)
    shutdown = ActivityCancellationDetails(worker_shutdown=True)

    with pytest.raises(asyncio.CancelledError):
        await run(
            house.checks(similarity=house.embedder()), ORIGINAL, NEAR, until=billed, why=shutdown
        )


async def test_the_verdict_reaches_a_workflow_typed(house: House, temporal_client: Client) -> None:
    """Within the sandbox, with its exact bill."""
    checks, queue = house.checks(similarity=house.embedder()), f"compare-{uuid4()}"

    async with Worker(
        temporal_client, task_queue=queue, workflows=[CompareFlow], activities=[checks.compare]
    ):
        compared = await temporal_client.execute_workflow(
            CompareFlow.run,
            CompareRequest(predicted=ORIGINAL, actual=NEAR),
            id=queue,
            task_queue=queue,
        )
    await checks.aclose()

    assert compared.tier == 3
    assert compared.score == Decimal("0.973342")
    assert compared.bill.cost == exact_cost(embedding_usd(ORIGINAL, NEAR))
