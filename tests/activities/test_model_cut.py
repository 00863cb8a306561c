"""Cut, stopped, tried again: what calls cost that did not simply complete."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError

from forerun.activities.call_result import Cut
from forerun.activities.failures import bill_of_failure, details_of
from forerun.activities.price_lookup import CancelPolicies
from forerun.speculation.billing import UNPRICED, Basis, CancelBilling, exact_cost
from forerun.speculation.pricing import Usage
from forerun.workers.standin.tokenizer import count_tokens
from tests.activities.vendors import PROMPT, Run, Vendors, request, true_usd

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])
ANSWER = "It is about billing, says the third line of the message, and nobody doubts it."
SLOW = {"tokens_per_second": 50, "output_tokens": 400}


@BOTH
async def test_a_cut_closes_the_stream_and_bounds_its_cost(vendors: Vendors, provider: str) -> None:
    """The provider sees the disconnect, and what it delivered costs between low and high."""
    vendors.answer(ANSWER, **SLOW)

    cut = await vendors.cut(request(provider, expected_output_tokens=300), after_tokens=5)

    entry = await vendors.last_request()
    assert entry["outcome"] == "disconnected"
    assert 0 < entry["delivered_tokens"] < 400
    cost = cut.bill.cost
    assert cost.basis is Basis.ESTIMATED
    assert cost.low_usd is not None
    assert cost.best_usd is not None
    assert cost.high_usd is not None
    true = true_usd(PROMPT, "", entry["delivered_tokens"])
    assert cost.low_usd <= true <= cost.high_usd
    assert cost.low_usd <= cost.best_usd <= cost.high_usd
    assert cut.delivered_tokens >= 5
    assert cut.expected_tokens == 300
    assert cut.first_token_seconds is not None


async def test_a_cut_anthropic_stream_knows_its_exact_input(vendors: Vendors) -> None:
    """The number of input tokens comes with the first event, and is kept."""
    vendors.answer(ANSWER, **SLOW)

    cut = await vendors.cut(request("anthropic"), after_tokens=5)

    assert cut.bill.usage.input_tokens == count_tokens(PROMPT)


@BOTH
async def test_a_cut_before_the_first_token(vendors: Vendors, provider: str) -> None:
    """It costs the whole input at best, nothing at least, the whole allowance at most."""
    vendors.answer(ANSWER, ttft_ms=60_000)
    run = Run(calls=vendors.calls, until=lambda beat: bool(vendors.standin.requests()))

    cut = await run(request(provider, max_output_tokens=100))

    assert isinstance(cut, Cut)
    assert cut.first_token_seconds is None
    assert cut.delivered_tokens == 0
    cost = cut.bill.cost
    usage = cut.bill.usage
    assert usage.output_tokens == 0
    assert cost.low_usd == 0
    assert cost.best_usd == (2 * Decimal(usage.input_tokens)).scaleb(-6)
    assert cost.high_usd is not None
    assert cost.high_usd >= Decimal("0.001")
    assert (await vendors.last_request())["outcome"] == "disconnected"


@BOTH
async def test_a_worker_shutdown_is_not_a_cut(vendors: Vendors, provider: str) -> None:
    """The cancellation passes through, so that half an answer is not taken for the end."""
    vendors.answer(ANSWER, **SLOW)
    run = Run(
        calls=vendors.calls,
        until=lambda beat: beat["delivered_tokens"] >= 2,
        why=ActivityCancellationDetails(worker_shutdown=True),
    )

    with pytest.raises(asyncio.CancelledError):
        await run(request(provider))

    assert (await vendors.last_request())["outcome"] == "disconnected"
    assert run.beats[-1]["bill"]["cost"]["basis"] == "estimated"


@BOTH
async def test_a_retry_pays_for_the_attempts_before_it(vendors: Vendors, provider: str) -> None:
    """The last heartbeat of a failed attempt is the start of the next one's bill."""
    vendors.answer(ANSWER, fault="reset", times=1)
    first = Run(calls=vendors.calls)
    with pytest.raises(ApplicationError) as failure:
        await first(request(provider))
    earlier = bill_of_failure(failure.value)
    assert earlier is not None

    vendors.answer(ANSWER)
    second = Run(calls=vendors.calls, attempt=2, heartbeat_details=[first.beats[-1]])
    result = await second(request(provider))

    tokens = count_tokens(ANSWER)
    assert details_of(earlier)["bill"] == first.beats[-1]["bill"]
    assert earlier.usage.output_tokens > 0
    assert result.bill.attempts == 2
    assert result.bill.usage == earlier.usage + Usage(
        input_tokens=count_tokens(PROMPT), output_tokens=tokens
    )
    assert result.bill.cost == earlier.cost + exact_cost(true_usd(PROMPT, "", tokens))
    assert result.bill.cost.basis is Basis.ESTIMATED


async def test_an_attempt_without_a_trace_is_still_counted(vendors: Vendors) -> None:
    """A worker that died before its first heartbeat leaves an attempt, and no bill."""
    vendors.answer(ANSWER)

    result = await Run(calls=vendors.calls, attempt=3)(request("openai"))

    assert result.bill.attempts == 3


@BOTH
async def test_an_unpriced_model_has_tokens_and_no_dollars(vendors: Vendors, provider: str) -> None:
    """Unknown is never 0, complete or cut."""
    vendors.answer(ANSWER, **SLOW)
    unpriced = request(provider, model="sim-unheard-of")

    cut = await vendors.cut(unpriced, after_tokens=2)
    vendors.answer(ANSWER)
    done = await vendors.complete(unpriced)

    assert cut.bill.cost == done.bill.cost == UNPRICED
    assert done.bill.rates is None
    assert done.bill.usage.output_tokens == count_tokens(ANSWER)


async def test_heartbeats_tell_the_running_bill(vendors: Vendors) -> None:
    """Each is one JSON object, and what it counts never falls."""
    vendors.answer(ANSWER, **SLOW)
    run = Run(calls=vendors.calls, until=lambda beat: beat["delivered_tokens"] >= 10)

    await run(request("openai"))

    counts = [beat["delivered_tokens"] for beat in run.beats]
    dollars = [Decimal(beat["bill"]["cost"]["low_usd"]) for beat in run.beats]
    assert counts[0] == 0
    assert len(counts) > 2
    assert counts == sorted(counts)
    assert dollars == sorted(dollars)


async def test_a_provider_that_bills_in_full_is_assumed_to(vendors: Vendors) -> None:
    """Its cut call costs the whole expected output."""
    vendors.answer(ANSWER, **SLOW)
    policies = CancelPolicies({"anthropic": CancelBilling.BILLS_FULL})

    async with Vendors.of(vendors.standin, cancel_billing=policies) as full:
        cut = await full.cut(request("anthropic", expected_output_tokens=300), after_tokens=2)

    assert cut.bill.cost.basis is Basis.ASSUMED_FULL
    assert cut.bill.cost.best_usd == true_usd(PROMPT, "", 300)
