"""What another alpha would have done follows from the records alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.decision import Decision
from forerun.speculation.record import GuessTested
from forerun.speculation.rule import Verdict, worth
from forerun.workers.report.what_if import ALPHAS, Wager, outlook, verdict_at, wagers
from tests.workers.report.kept import NAMES, run

alphas = st.decimals(0, 1, places=3)
CAP = "max_breadth 3"


def _sample() -> Decision:
    """A launch that nothing but its figures decides about."""
    return next(d for _, d in run("hit").of(Decision) if d.verdict is Verdict.LAUNCH)


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    """Judged as the rule judges; some are held by a cap, whatever their figures."""
    p, alpha = draw(st.decimals(0, 1, places=2)), draw(alphas)
    saved, cost = draw(st.decimals(0, 3, places=3)), draw(st.decimals(0, "0.02", places=6))
    figures = worth(
        p=p, seconds_saved=saved, usd_per_second=Decimal("0.01"), cost_usd=cost, alpha=alpha
    )
    pays = figures.pays and saved > 0 and p > 0
    reason = "EV reaches the threshold" if pays else "EV below threshold"
    if saved <= 0 or p <= 0:
        reason = "saves no time" if p > 0 else "cannot be right"
    if draw(st.integers(0, 4)) == 0:
        pays, reason = False, CAP
    return replace(
        _sample(),
        bet=draw(st.sampled_from(["a", "b", "c"])),
        p=p,
        alpha=alpha,
        seconds_saved=saved,
        cost_usd=cost,
        worst_usd=cost,
        usd_per_second=Decimal("0.01"),
        ev_usd=figures.ev_usd,
        threshold_usd=figures.threshold_usd,
        verdict=Verdict.LAUNCH if pays else Verdict.HOLD,
        reason=reason,
    )


bets = st.lists(
    st.builds(
        Wager,
        decisions=st.lists(decisions(), min_size=1, max_size=3).map(tuple[Decision, ...]),
        right=st.sampled_from([True, False, None]),
    ),
    max_size=8,
)


@pytest.mark.parametrize("name", NAMES)
def test_with_the_alpha_in_force_every_decision_is_as_it_was(name: str) -> None:
    """Of real runs: launches, purchases and holds, for whatever reason."""
    for _, decision in run(name).of(Decision):
        if decision.verdict is not Verdict.CUT:
            assert verdict_at(decision, decision.alpha) is decision.verdict


@given(decisions())
def test_it_repeats_the_rule(decision: Decision) -> None:
    """Also where a cap held what would have paid."""
    assert verdict_at(decision, decision.alpha) is decision.verdict


@given(decisions(), alphas, alphas)
def test_a_higher_alpha_never_launches_less(
    decision: Decision, one: Decimal, other: Decimal
) -> None:
    """And what a cap holds, no alpha launches."""
    low, high = sorted((one, other))
    if verdict_at(decision, low) is Verdict.LAUNCH:
        assert verdict_at(decision, high) is Verdict.LAUNCH
    if decision.reason == CAP:
        assert verdict_at(decision, high) is Verdict.HOLD


@given(bets)
def test_no_bet_is_lost_or_counted_twice(found: list[Wager]) -> None:
    """Placed or held, and if placed right, wrong or unknown; a higher alpha places no fewer."""
    outlooks = [outlook(found, alpha) for alpha in ALPHAS]

    for it in outlooks:
        assert it.placed + it.held == len(found)
        assert it.right + it.wrong + it.unknown == it.placed
        assert it.right + it.missed == sum(wager.right is True for wager in found)
        assert it.net_usd == it.gain_usd - it.loss_usd
    assert [it.placed for it in outlooks] == sorted(it.placed for it in outlooks)


@given(bets)
def test_what_nobody_knows_is_in_no_sum(found: list[Wager]) -> None:
    """Bets without a known end change the counts, and no seconds and dollars."""
    known = [wager for wager in found if wager.right is not None]

    for alpha in ALPHAS:
        one, other = outlook(found, alpha), outlook(known, alpha)
        assert (one.seconds, one.gain_usd, one.loss_usd) == (
            other.seconds,
            other.gain_usd,
            other.loss_usd,
        )


@pytest.mark.parametrize(("name", "right"), [("hit", True), ("miss", False)])
def test_a_bet_is_right_if_its_guess_was(name: str, right: bool) -> None:
    """One bet, decided in two rounds, counts once, with its first figures."""
    records = run(name)
    tested = {guess.guess: guess.right for _, guess in records.of(GuessTested)}

    (wager,) = wagers([decision for _, decision in records.of(Decision)], tested)

    assert wager.right is right
    first = wager.decisions[0]
    told = outlook([wager], None)
    assert (told.right, told.wrong) == (int(right), int(not right))
    assert told.seconds == (first.seconds_saved if right else 0)
    assert told.loss_usd == (0 if right else first.cost_usd)
    assert next(iter(wagers(wager.decisions, {}))).right is None
