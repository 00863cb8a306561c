"""Decisions learn from the calls that a run reports, and say so in their records."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from forerun.activities.call_result import Bill, CallResult, Completed, Cut
from forerun.activities.decision_request import (
    BetView,
    CallView,
    DecideRequest,
    NodeView,
    Phase,
    SettleRequest,
    observation,
)
from forerun.activities.decisions import Decisions
from forerun.activities.price_lookup import CancelPolicies
from forerun.activities.prices import PriceBook
from forerun.speculation.beliefs import stated
from forerun.speculation.bet import Assumption
from forerun.speculation.estimates import Work
from forerun.speculation.experience import Observation
from forerun.speculation.guess import GuessSource
from forerun.speculation.policy import Policy
from forerun.speculation.pricing import Usage
from forerun.speculation.record import GENESIS

CLASSIFY = Work(workload="auto-reply", node="classify", operation="openai:sim-mid", input_bytes=400)
DRAFT = Work(
    workload="auto-reply",
    node="draft",
    operation="openai:sim-mid",
    input_bytes=400,
    max_output_tokens=500,
)
USAGE = Usage(input_tokens=100, output_tokens=60)
DONE = Completed(output="Dear", bill=Bill(usage=USAGE), seconds=1.5)
OBSERVED = Observation(
    workload="auto-reply",
    node="draft",
    operation="openai:sim-mid",
    input_bytes=400,
    ms=1500,
    usage=USAGE,
)


def decisions() -> Decisions:
    return Decisions(prices=PriceBook(), cancel_billing=CancelPolicies(), cards={})


def request(*observed: Observation) -> DecideRequest:
    """Whether to draft ahead of a classification that is under way."""
    assumption = Assumption(
        guess="classify@1",
        node="classify",
        label='classify="billing"',
        source=GuessSource.VALUE,
        value_sha256="1",
        belief=stated(Decimal("0.9")),
    )
    call = CallView(node="draft", fingerprint="f", waits_for=(), input_bytes=400)
    bet = BetView(
        question="draft?",
        assumptions=(assumption,),
        alternatives=(),
        conditions=(),
        calls=(call,),
        refused=(),
        skipped=(),
    )
    return DecideRequest(
        at=datetime(2026, 11, 21, tzinfo=UTC),
        policy=Policy(),
        funds_usd=Decimal(1),
        nodes={
            "classify": NodeView(upstream=(), work=CLASSIFY, phase=Phase.RUNNING),
            "draft": NodeView(upstream=("classify",), work=DRAFT),
        },
        placed=(),
        bets=(bet,),
        held_back={},
        held=(),
        previous=GENESIS,
        observed=observed,
    )


async def draft(worker: Decisions, *observed: Observation) -> tuple[str, int, int]:
    """What the draft is expected to be like, by the record of a decision."""
    (record,) = (await worker.decide(request(*observed))).records
    stake = record["calls"][0]["stake"]
    return stake["estimate_basis"], stake["ms"], stake["output_tokens"]


async def test_a_decision_goes_by_the_calls_it_hears_of() -> None:
    """At once, and from then on; the record says on what its figures are based."""
    worker = decisions()
    unknown = await draft(worker)

    assert unknown[0] == "public"
    assert await draft(worker, OBSERVED, OBSERVED) == unknown
    assert await draft(worker, OBSERVED) == ("seen", 1500, 60)
    assert await draft(worker) == ("seen", 1500, 60)


async def test_settling_teaches_as_well() -> None:
    """The last calls of a run end with nothing left to decide; the next run hears of them."""
    worker = decisions()

    await worker.settle(
        SettleRequest(outcomes=(), guesses=(), previous=GENESIS, observed=(OBSERVED,) * 3)
    )

    assert await draft(worker) == ("seen", 1500, 60)


def test_a_call_that_ran_to_its_end_is_an_observation() -> None:
    """With the length of what was really sent."""
    assert observation(DRAFT, 400, DONE) == OBSERVED


@pytest.mark.parametrize(
    "result",
    [
        None,
        Cut(bill=Bill(usage=USAGE), seconds=1.5),
        Completed(output="Dear", bill=Bill(usage=USAGE, attempts=2), seconds=1.5),
    ],
    ids=["failed", "cut", "retried"],
)
def test_other_ends_teach_nothing(result: CallResult | None) -> None:
    """They took less than such a call takes, or more."""
    assert observation(DRAFT, 400, result) is None
