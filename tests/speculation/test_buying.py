"""Guesses that are bought: what a cheaper model's answer is worth before it is known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.bet import Condition, Refusal
from forerun.speculation.board import Situation
from forerun.speculation.choice import decide
from forerun.speculation.makespan import Leg
from forerun.speculation.policy import Policy
from forerun.speculation.rule import Verdict, worth
from tests.speculation.bets import bet, only, stake
from tests.speculation.offers import SMALL, answer, bought, follow_up, offer, situation

D = Decimal
milliseconds = st.integers(0, 5000)


@given(guessing=milliseconds, answering=milliseconds, drafting=milliseconds)
def test_time_is_saved_by_the_rule_of_the_later_one(
    guessing: int, answering: int, drafting: int
) -> None:
    """min(C, (B - A)+): the guess may come too late, and a hit still waits for the answer itself."""
    asked = offer(follow_up("draft", drafting), purchase=answer(guessing))

    decision = only(decide(situation(asked, left_ms=answering, draft_ms=drafting)))

    saved_ms = min(drafting, max(answering - guessing, 0))
    assert decision.seconds_saved == D(saved_ms).scaleb(-3)


def test_what_is_wasted_starts_with_the_answer() -> None:
    """The draft begins at 0.4 s and has 0.8 of its 4.0 s until the answer itself is there."""
    decision = only(decide(situation(offer())))

    assert decision.cost_usd == D("0.001") + D("0.2") * D("0.004")
    assert decision.path_without == (Leg("classify", 1200),)
    assert decision.path_with == (Leg(f"classify@?{SMALL}", 400),)


def test_a_purchase_recomputes_from_its_record() -> None:
    """Both sides of the rule, from what the record holds; nothing is launched by it."""
    decision = only(decide(situation(offer())))

    assert decision.verdict is Verdict.BUY
    assert decision.launched == ()
    assert decision.purchase is not None
    assert decision.purchase.cost_usd is not None
    assert decision.purchase.worst_usd is not None
    assert decision.cost_usd is not None
    figures = worth(
        p=decision.p,
        seconds_saved=decision.seconds_saved,
        usd_per_second=decision.usd_per_second,
        cost_usd=decision.cost_usd,
        alpha=decision.alpha,
        guess_usd=decision.purchase.cost_usd,
    )
    assert (decision.ev_usd, decision.threshold_usd) == (figures.ev_usd, figures.threshold_usd)
    assert decision.worst_usd == decision.purchase.worst_usd + D("0.02")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (situation(offer(purchase=answer(usd=None))), f"unpriced: no price known for {SMALL}"),
        (situation(offer(purchase=answer(worst=None))), f"unpriced: no price known for {SMALL}"),
        (
            situation(offer(follow_up("draft", 4000, usd=None))),
            "unpriced: no price known for anthropic:sim-mid",
        ),
        (situation(offer(), held_back={"openai": "rate_limited: openai"}), "rate_limited: openai"),
        (
            situation(offer(), held_back={"anthropic": "rate_limited: anthropic"}),
            "rate_limited: anthropic",
        ),
        (situation(offer(), funds="0.0209"), "budget"),
        (situation(offer(), policy=Policy(max_depth=0)), "max_depth 0"),
        (situation(offer(), policy=Policy(max_breadth=0)), "max_breadth 0"),
        (situation(offer(purchase=answer(1200))), "saves no time"),
        (situation(offer(purchase=answer(usd="0.005"))), "EV below threshold"),
        (
            situation(
                replace(offer(), calls=(), refused=(Refusal(node="send", reason="irreversible"),))
            ),
            "irreversible",
        ),
        (
            situation(replace(offer(), conditions=(Condition(node="draft", p=D(0)),))),
            "cannot be right",
        ),
    ],
)
def test_holds_say_why(asked: Situation, reason: str) -> None:
    """A guess that is not bought is held for one stated reason, and its price is recorded."""
    decision = only(decide(asked))

    assert (decision.verdict, decision.reason) == (Verdict.HOLD, reason)
    assert decision.purchase == asked.purchases[0].purchase


def test_a_free_guess_is_a_bet_that_starts_later() -> None:
    """With G and g of nothing, a purchase has the very figures of the bet that it leads to."""
    known = bet(stake("draft", 4000))
    free = offer(purchase=answer(0, usd="0", worst="0"))

    launch, buy = only(decide(situation(bets=[known]))), only(decide(situation(free)))

    assert (launch.verdict, buy.verdict) == (Verdict.LAUNCH, Verdict.BUY)
    assert (launch.ev_usd, launch.threshold_usd) == (buy.ev_usd, buy.threshold_usd)
    assert (launch.seconds_saved, launch.worst_usd) == (buy.seconds_saved, buy.worst_usd)


def test_bets_that_can_be_placed_come_first() -> None:
    """A purchase has what they leave of the funds, and never takes anything from them."""
    known = bet(stake("draft", 4000), p="0.3")

    alone = decide(situation(bets=[known], funds="0.04"))
    launch, hold = decide(situation(offer(), bets=[known], funds="0.04"))

    assert alone == (launch,)
    assert launch.verdict is Verdict.LAUNCH
    assert (hold.verdict, hold.reason) == (Verdict.HOLD, "budget")
    assert hold.funds_usd == D("0.02")


def test_a_bought_guess_counts_towards_breadth() -> None:
    """Of two sources for one node, the one that returns more is bought."""
    other = bought("openai:sim-mid", p="0.7")
    both = [offer(), replace(offer(), assumptions=(other,), question="or buy?")]

    buy, held = decide(situation(*both, policy=Policy(max_breadth=1)))

    assert (buy.bet, buy.verdict) == ("classify@?openai:sim-mid", Verdict.BUY)
    assert (held.verdict, held.reason) == (Verdict.HOLD, "max_breadth 1")


def test_calls_wait_for_the_answer_and_for_results() -> None:
    """The draft begins when both are there: the answer, and the lookup that reads it."""
    calls = follow_up("lookup", 500, usd=("0", "0")), follow_up("draft", 4000, "lookup")

    decision = only(decide(situation(offer(*calls))))

    assert decision.path_with[:2] == (Leg(f"classify@?{SMALL}", 400), Leg("lookup", 500))
