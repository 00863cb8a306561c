"""Decisions over a small DAG: classify -> lookup -> draft, as in AutoReply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.assessment import assess
from forerun.speculation.beliefs import stated
from forerun.speculation.bet import Assumption, Bet, Implication, Refusal, Stake
from forerun.speculation.board import Board, Placed, Situation
from forerun.speculation.choice import decide
from forerun.speculation.decision import Decision
from forerun.speculation.guess import GuessSource
from forerun.speculation.makespan import Ahead, Network, Step
from forerun.speculation.policy import Policy
from forerun.speculation.rule import Verdict, worth

D = Decimal

NETWORK: Network = {
    "classify": Step(upstream=(), ms=1200, started=True),
    "lookup": Step(upstream=("classify",), ms=400),
    "draft": Step(upstream=("classify", "lookup"), ms=4000),
}


def assumption(node: str, value: str = "x", p: str = "0.6") -> Assumption:
    """A guess for a node, with the belief that the spec states."""
    return Assumption(
        guess=f"{node}@{value}",
        node=node,
        label=f"{node}={value}",
        source=GuessSource.VALUE,
        value_sha256=value,
        belief=stated(D(p)),
    )


def stake(
    node: str,
    ms: int,
    *,
    usd: tuple[str, str] | None = ("0.001", "0.004"),
    waits_for: tuple[str, ...] = (),
    whole_output: bool = False,
) -> Stake:
    """A priced call; without a price where `usd` is None."""
    return Stake(
        node=node,
        operation="openai:sim-mid",
        fingerprint=None if waits_for else f"fp-{node}",
        waits_for=waits_for,
        ms=ms,
        input_tokens=100,
        output_tokens=100,
        estimate_basis="spec",
        input_usd=D(usd[0]) if usd else None,
        output_usd=D(usd[1]) if usd else None,
        worst_usd=D("0.02") if usd else None,
        rates=None,
        whole_output=whole_output,
    )


def bet(*calls: Stake, p: str = "0.6", value: str = "x", refused: tuple[Refusal, ...] = ()) -> Bet:
    """A bet on the output of classify."""
    return Bet(
        question=f"{value}?",
        assumptions=(assumption("classify", value, p),),
        conditions=(),
        calls=calls,
        refused=refused,
    )


def whole(p: str = "0.6", value: str = "x") -> Bet:
    """The lookup, and the draft that waits for its result."""
    return bet(
        stake("lookup", 400, usd=("0", "0")),
        stake("draft", 4000, waits_for=("lookup",)),
        p=p,
        value=value,
    )


def situation(
    *bets: Bet,
    policy: Policy | None = None,
    placed: Sequence[Placed] = (),
    funds: str = "0.5",
    held_back: dict[str, str] | None = None,
) -> Situation:
    """A decision point on the AutoReply network."""
    return Situation(
        at="2026-11-21T00:00:00+00:00",
        policy=policy or Policy(),
        funds_usd=D(funds),
        network=NETWORK,
        placed=tuple(placed),
        bets=bets,
        held_back=held_back or {},
    )


def only(decisions: tuple[Decision, ...]) -> Decision:
    """The one decision of a batch."""
    (decision,) = decisions
    return decision


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
