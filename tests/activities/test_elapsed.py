"""What runs already takes the rest of its time, and what was generated of it is paid.

Neither counts any more.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from forerun.activities.decision_request import (
    BetView,
    CallView,
    NodeView,
    SpeculationView,
)
from forerun.speculation.estimates import Work
from forerun.speculation.guess import GuessSource
from forerun.speculation.policy import Policy
from tests.activities.decision_points import NODES, assumption, decided, request

D = Decimal
DRAFT_MS = 4000
WORTHLESS = Policy(usd_per_second=D("0.0000001"))


def running(elapsed_ms: int) -> SpeculationView:
    """The draft, on a guess of the classification, since so long."""
    return SpeculationView(
        node="draft",
        fingerprint="fp",
        assumptions=(assumption("billing", GuessSource.VALUE),),
        done=False,
        elapsed_ms=elapsed_ms,
    )


async def left(elapsed_ms: int) -> dict[str, Any]:
    """What is left of the draft, by the record of its cut."""
    (cut,) = await decided(request(placed=[running(elapsed_ms)], policy=WORTHLESS))
    assert cut["verdict"] == "cut"
    return cut["calls"][0]["stake"]


@pytest.mark.parametrize("elapsed_ms", [1000, 3000])
async def test_sunk_cost_is_no_part_of_a_live_bet(elapsed_ms: int) -> None:
    """Of a running call there is left its share of time and output, and nothing of its input."""
    whole, rest = await left(0), await left(elapsed_ms)

    share = D(DRAFT_MS - elapsed_ms) / DRAFT_MS
    assert (whole["ms"], rest["ms"]) == (DRAFT_MS, DRAFT_MS - elapsed_ms)
    assert D(rest["output_usd"]) == share * D(whole["output_usd"]) > 0
    assert rest["output_tokens"] == round(share * whole["output_tokens"])
    assert (D(rest["input_usd"]), rest["input_tokens"]) == (0, 0)


async def test_what_should_be_over_by_now_is_kept() -> None:
    """It has no dollars left to lose, however little it wins."""
    assert await decided(request(placed=[running(DRAFT_MS)], policy=WORTHLESS)) == []


@pytest.mark.parametrize(("elapsed_ms", "saved"), [(0, "0"), (2500, "1.5"), (4000, "3")])
async def test_a_result_is_expected_after_the_rest_of_its_time(elapsed_ms: int, saved: str) -> None:
    """A letter that waits for the draft starts with it; the classification has 3 s left."""
    letter = NodeView(
        upstream=("draft",),
        work=Work(operation="openai:sim-mid", input_bytes=80, seconds=D(5)),
    )
    bet = BetView(
        question="letter?",
        assumptions=(assumption("billing", GuessSource.VALUE),),
        alternatives=(),
        conditions=(),
        calls=(CallView(node="letter", fingerprint=None, waits_for=("draft",), input_bytes=80),),
        refused=(),
        skipped=(),
    )
    asked = request(bets=[bet], placed=[running(elapsed_ms)])

    (held,) = await decided(replace(asked, nodes={**NODES, "letter": letter}))

    assert held["question"] == "letter?"
    assert D(held["seconds_saved"]) == D(saved)
