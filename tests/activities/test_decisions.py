"""The local activity `decide`: from a request to records, by this worker's estimates and prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter
from temporalio.contrib.pydantic import pydantic_data_converter

from forerun.activities.decision_request import (
    BetView,
    CallView,
    DecideRequest,
    NodeView,
    Phase,
    PurchaseView,
    SpeculationView,
)
from forerun.activities.decisions import Decisions
from forerun.activities.price_lookup import CancelPolicies
from forerun.activities.prices import PriceBook
from forerun.speculation.beliefs import stated
from forerun.speculation.bet import Assumption
from forerun.speculation.estimates import Work
from forerun.speculation.guess import GuessSource
from forerun.speculation.policy import Policy
from forerun.speculation.pricing import Rates, Usage, call_usd, worst_case_usd
from forerun.speculation.record import GENESIS, seal_of

D = Decimal
SMALL = "openai:sim-small"
AT = datetime(2026, 11, 21, tzinfo=UTC)

NODES = {
    "classify": NodeView(
        upstream=(),
        work=Work(
            operation="openai:sim-large", input_bytes=4000, max_output_tokens=20, seconds=D(6)
        ),
        phase=Phase.RUNNING,
        elapsed_ms=3000,
    ),
    "draft": NodeView(
        upstream=("classify",),
        work=Work(
            operation="anthropic:sim-mid", input_bytes=80, max_output_tokens=500, seconds=D(4)
        ),
    ),
}


@pytest.fixture
def decisions() -> Decisions:
    """A worker that knows the shipped prices and has seen nothing yet."""
    return Decisions(prices=PriceBook(), cancel_billing=CancelPolicies(), cards={})


def assumption(guess: str, source: GuessSource) -> Assumption:
    """A guess of the classification."""
    return Assumption(
        guess=f"classify@{guess}",
        node="classify",
        label=f"classify={guess}",
        source=source,
        value_sha256=guess,
        belief=stated(D("0.7")),
    )


def offer(operation: str = SMALL, k: int = 1) -> PurchaseView:
    """To ask a smaller model for the classification; the draft could start on its answer."""
    return PurchaseView(
        question="buy?",
        node="classify",
        operation=operation,
        k=k,
        fingerprint="fp-answer",
        input_bytes=4000,
        work=Work(operation=operation, input_bytes=80, max_output_tokens=20, choice_tokens=4),
        assumption=assumption(f"?{operation}", GuessSource.MODEL),
        conditions=(),
        calls=(CallView(node="draft", fingerprint=None, waits_for=(), input_bytes=0),),
        refused=(),
        skipped=(),
    )


def bet(input_bytes: int = 90) -> BetView:
    """The draft on a known guess."""
    call = CallView(node="draft", fingerprint="fp", waits_for=(), input_bytes=input_bytes)
    return BetView(
        question="bet?",
        assumptions=(assumption("billing", GuessSource.VALUE),),
        alternatives=(),
        conditions=(),
        calls=(call,),
        refused=(),
        skipped=(),
    )


def request(
    *purchases: PurchaseView,
    bets: Sequence[BetView] = (),
    placed: Sequence[SpeculationView] = (),
    held: Sequence[str] = (),
    policy: Policy | None = None,
) -> DecideRequest:
    """A decision point while the classification runs."""
    return DecideRequest(
        at=AT,
        policy=policy or Policy(),
        funds_usd=D(1),
        nodes=NODES,
        placed=tuple(placed),
        bets=tuple(bets),
        held_back={},
        held=tuple(held),
        previous=GENESIS,
        purchases=purchases,
    )


async def decided(decisions: Decisions, asked: DecideRequest) -> list[dict[str, Any]]:
    """The records of a batch."""
    return (await decisions.decide(asked)).records


async def test_a_guess_is_bought_at_its_price(decisions: Decisions) -> None:
    """G is k answers at the recorded rates; what is reserved takes every byte for a token."""
    (record,) = await decided(decisions, request(offer(k=2)))

    assert record["verdict"] == "buy"
    bought = record["purchase"]
    rates = TypeAdapter(Rates).validate_python(bought["rates"])
    usage = Usage(input_tokens=bought["input_tokens"], output_tokens=bought["output_tokens"])
    worst = worst_case_usd(rates, input_bytes=4000, max_output_tokens=20)
    assert (bought["operation"], bought["k"], bought["fingerprint"]) == (SMALL, 2, "fp-answer")
    assert usage == Usage(input_tokens=1000, output_tokens=4)
    assert D(bought["cost_usd"]) == 2 * call_usd(rates, usage)
    assert D(bought["worst_usd"]) == 2 * worst


async def test_its_calls_begin_with_the_answer(decisions: Decisions) -> None:
    """L is what is left of the answer itself once the guess is there."""
    (record,) = await decided(decisions, request(offer()))

    seconds = D(record["purchase"]["seconds"])
    assert D(record["seconds_saved"]) == 3 - seconds
    assert record["path_with"] == [{"node": f"classify@?{SMALL}", "ms": int(1000 * seconds)}]
    assert record["calls"][0]["stake"]["fingerprint"] is None


async def test_an_unpriced_model_is_not_asked(decisions: Decisions) -> None:
    """Unknown dollars are never taken for none."""
    (record,) = await decided(decisions, request(offer("nobody:knows")))

    assert (record["verdict"], record["purchase"]["cost_usd"]) == ("hold", None)
    assert record["reason"] == "unpriced: no price known for nobody:knows"


async def test_what_is_held_is_recorded_once(decisions: Decisions) -> None:
    """A bet or a purchase that was held for the same question says nothing new; a verdict does."""
    poor = Policy(usd_per_second=D("0.0000001"))

    first = await decided(decisions, request(offer(), bets=[bet()], policy=poor))
    asked = request(offer(), bets=[bet()], policy=poor, held=["bet?", "buy?"])
    again = await decided(decisions, asked)
    richer = await decided(decisions, replace(asked, policy=Policy()))

    assert [record["verdict"] for record in first] == ["hold", "hold"]
    assert again == []
    assert [record["verdict"] for record in richer] == ["launch", "buy"]


async def test_records_are_one_chain(decisions: Decisions) -> None:
    """Launches, purchases and cuts of a batch follow each other, in this process or another."""
    running = SpeculationView(
        node="draft",
        fingerprint="fp-dear",
        assumptions=(assumption("bug", GuessSource.VALUE),),
        done=False,
        elapsed_ms=0,
    )
    asked = request(offer(), bets=[bet()], placed=[running])
    asked = replace(asked, policy=Policy(usd_per_second=D("0.0000001")))

    records = await decided(decisions, asked)

    assert [record["verdict"] for record in records] == ["cut", "hold", "hold"]
    assert [record["previous"] for record in records] == [
        GENESIS,
        *(record["sha256"] for record in records[:-1]),
    ]
    assert [seal_of(record) for record in records] == [record["sha256"] for record in records]


async def test_a_call_is_priced_by_what_is_sent(decisions: Decisions) -> None:
    """Rendered arguments count by their own length, others by that of their template."""
    (sent,) = await decided(decisions, request(bets=[bet(input_bytes=90)]))
    (unknown,) = await decided(decisions, request(offer()))

    rendered, template = (record["calls"][0]["stake"] for record in (sent, unknown))
    assert (rendered["input_tokens"], template["input_tokens"]) == (23, 20)
    assert D(rendered["worst_usd"]) > D(template["worst_usd"])


async def test_a_request_survives_its_way_to_the_worker() -> None:
    """What the workflow asks is what the activity is asked."""
    asked = request(offer(k=3), bets=[bet()])

    payloads = await pydantic_data_converter.encode([asked])

    assert await pydantic_data_converter.decode(payloads, [DecideRequest]) == [asked]
