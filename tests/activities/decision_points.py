"""What `decide` is asked while a classification runs, and what a fresh worker answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from forerun.activities.decision_request import (
    BetView,
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
from forerun.speculation.record import GENESIS

D = Decimal
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


async def decided(asked: DecideRequest) -> list[dict[str, Any]]:
    """The records of a batch, by a worker with the shipped prices that has seen nothing yet."""
    worker = Decisions(prices=PriceBook(), cancel_billing=CancelPolicies(), cards={})
    return (await worker.decide(asked)).records
