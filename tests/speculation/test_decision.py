"""Decisions over a small DAG: each follows the rule, and says why it holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.assessment import assess
from forerun.speculation.bet import Bet, Implication, Refusal
from forerun.speculation.board import Board, Placed, Situation
from forerun.speculation.choice import decide
from forerun.speculation.makespan import Ahead, Step
from forerun.speculation.policy import Policy
from forerun.speculation.rule import Verdict, worth
from tests.speculation.bets import NETWORK, assumption, bet, only, situation, stake, whole

D = Decimal


def test_figures_follow_the_rule() -> None:
    """Every figure of a launch recomputes from the others."""
    decision = only(decide(situation(whole())))

    # Without: 1.2 + 0.4 + 4.0. With: the draft's own chain (0.4 + 4.0) outlasts classify.
    assert decision.seconds_saved == D("1.2")
    # The lookup is free; the draft begins at 0.4 s and runs 0.8 of its 4.0 s until the refutation.
    assert decision.cost_usd == D("0.001") + D("0.2") * D("0.004")
    expected = worth(
        p=D("0.6"),
        seconds_saved=D("1.2"),
        usd_per_second=D("0.01"),
        cost_usd=D("0.0018"),
        alpha=D("0.5"),
    )
    assert (decision.ev_usd, decision.threshold_usd) == (expected.ev_usd, expected.threshold_usd)
    assert decision.verdict is Verdict.LAUNCH
    assert [call.stake.node for call in decision.launched] == ["lookup"]


def test_saved_seconds_are_the_difference_of_the_recorded_paths() -> None:
    """L can be audited from the record alone."""
    decision = only(decide(situation(whole())))

    without, with_bet = (
        sum(leg.ms for leg in path) for path in (decision.path_without, decision.path_with)
    )
    assert D(without - with_bet).scaleb(-3) == decision.seconds_saved


def test_whole_output_at_risk_gives_the_papers_cost() -> None:
    """A provider that bills in full puts the whole C at risk: C_in + C_out."""
    decision = only(decide(situation(bet(stake("lookup", 400, whole_output=True)))))

    assert decision.cost_usd == D("0.005")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (situation(whole(p="0.01")), "EV below threshold"),
        (situation(whole(), funds="0.01"), "budget"),
        (
            situation(bet(stake("lookup", 400, usd=None))),
            "unpriced: no price known for openai:sim-mid",
        ),
        (
            situation(whole(), held_back={"openai": "rate_limited: openai"}),
            "rate_limited: openai",
        ),
        (situation(whole(), policy=Policy(max_depth=0)), "max_depth 0"),
        (situation(whole(), policy=Policy(max_breadth=0)), "max_breadth 0"),
        (situation(bet(stake("draft", 100, waits_for=("lookup",)))), "waits for a result"),
        (situation(bet(refused=(Refusal(node="send", reason="irreversible"),))), "irreversible"),
    ],
)
def test_holds_say_why(asked: Situation, reason: str) -> None:
    """A bet that is not placed is held for one stated reason."""
    decision = only(decide(asked))

    assert (decision.verdict, decision.reason) == (Verdict.HOLD, reason)
    assert decision.launched == ()


def test_no_time_saved_is_no_bet() -> None:
    """A call that hides behind a longer one earns nothing, whatever it costs."""
    network = {**NETWORK, "other": Step(upstream=(), ms=60_000, started=True)}
    decision = only(decide(replace(situation(whole()), network=network)))

    assert (decision.verdict, decision.reason) == (Verdict.HOLD, "saves no time")


def test_calls_that_save_nothing_are_dropped_with_what_waits_for_them() -> None:
    """A dear branch beside the critical path leaves the bet, and the rest is placed."""
    network = {
        **NETWORK,
        "side": Step(upstream=("classify",), ms=100),
        "tail": Step(upstream=("side",), ms=100),
    }
    full = bet(
        *whole().calls,
        stake("side", 100, usd=("0.1", "0.1")),
        stake("tail", 100, waits_for=("side",)),
    )

    assessment = assess(full, Board(replace(situation(full), network=network)))

    assert set(assessment.dropped) == {"side", "tail"}
    assert [exposure.stake.node for exposure in assessment.exposures] == ["lookup", "draft"]


def test_a_provider_that_holds_back_holds_back_only_who_asks_it() -> None:
    """A call that is dropped from a bet asks nobody: the rest is placed."""
    network = {**NETWORK, "side": Step(upstream=("classify",), ms=100)}
    side = replace(stake("side", 100, usd=("0.1", "0.1")), operation="busy:model")
    asked = replace(situation(bet(*whole().calls, side)), network=network)

    decision = only(decide(replace(asked, held_back={"busy": "rate_limited: busy"})))

    assert (decision.verdict, decision.dropped) == (Verdict.LAUNCH, ("side",))


def test_exclusive_guesses_are_judged_beside_each_other() -> None:
    """Two guesses for one node do not share S: the second still saves what the first would."""
    first, second = decide(situation(whole(), whole(p="0.3", value="y")))

    assert first.seconds_saved == second.seconds_saved == D("1.2")
    assert [a.label for a in first.assumptions] == ["classify=x"]


def test_p_sums_over_exclusive_alternatives() -> None:
    """Other guesses that lead to the very same calls add their chance, and never beyond certainty."""
    other = (assumption("classify", "y", "0.3"),)
    ways = replace(whole(p="0.4"), alternatives=(other,))

    assert only(decide(situation(ways))).p == D("0.7")
    assert replace(ways, alternatives=(other, other, other)).p(None) == D(1)


def test_funds_shrink_with_every_placement() -> None:
    """What one launch reserves, the next bet of the batch no longer has."""
    first, second = decide(situation(whole(), whole(p="0.3", value="y")))

    assert second.funds_usd == first.funds_usd - (first.worst_usd or 0)


def test_breadth_counts_the_guesses_placed_before() -> None:
    """Beyond max_breadth further guesses for a node are held."""
    decisions = decide(situation(whole(), whole(value="y"), policy=Policy(max_breadth=1)))

    assert [d.verdict for d in decisions] == [Verdict.LAUNCH, Verdict.HOLD]
    assert decisions[1].reason == "max_breadth 1"


def test_a_placed_speculation_is_part_of_the_situation() -> None:
    """With the lookup's result at hand, the draft is judged from now on."""
    done = Placed(
        fingerprint="fp-lookup",
        guesses=("classify@x",),
        ahead=Ahead(node="lookup", ms=0, assumed=("classify",)),
    )

    decision = only(decide(situation(bet(stake("draft", 4000)), placed=[done])))

    assert decision.seconds_saved == D("1.2")
    assert [call.stake.node for call in decision.launched] == ["draft"]


def test_what_a_known_result_rules_out_is_no_part_of_the_situation() -> None:
    """The draft runs on a guess of the lookup; if classify is as guessed, the lookup came out otherwise.

    So where the bet on classify is right that draft is in vain, and another one saves its time.
    """
    astray = Placed(
        fingerprint="fp-astray",
        guesses=("lookup@guessed",),
        ahead=Ahead(node="draft", ms=4000, assumed=("lookup",)),
    )
    result = Implication(("classify@x",), "lookup@result")
    asked = situation(bet(stake("draft", 4000)), placed=[astray])

    without = only(decide(asked))
    knowing = only(decide(replace(asked, implications=(result,))))

    assert (without.verdict, without.reason) == (Verdict.HOLD, "saves no time")
    assert knowing.verdict is Verdict.LAUNCH


@given(st.permutations([whole(), whole(p="0.3", value="y"), whole(p="0.05", value="z")]))
def test_verdicts_do_not_depend_on_the_order_of_the_question(bets: list[Bet]) -> None:
    """Asked in another order, the same bets get the same verdicts."""
    verdicts = {d.bet: d.verdict for d in decide(situation(*bets))}

    assert verdicts == {
        "classify@x": Verdict.LAUNCH,
        "classify@y": Verdict.LAUNCH,
        "classify@z": Verdict.HOLD,
    }
