"""Which bet goes first where there is not enough for all: EV per dollar at risk."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.bet import Bet
from forerun.speculation.choice import decide
from forerun.speculation.decision import Decision
from forerun.speculation.rule import Verdict
from tests.speculation.bets import bet, situation, stake

D = Decimal


def offered(value: str, p: str, worst_usd: str) -> Bet:
    """A lookup on another guess of classify, with so much to reserve for it."""
    call = replace(
        stake("lookup", 400, usd=("0.0001", "0")), fingerprint=f"fp-{value}", worst_usd=D(worst_usd)
    )
    return bet(call, p=p, value=value)


def launched(decisions: tuple[Decision, ...]) -> list[str]:
    """The guesses that were bet on, in their order."""
    return [d.assumptions[0].label for d in decisions if d.verdict is Verdict.LAUNCH]


def test_the_better_return_goes_first_and_not_the_higher_ev() -> None:
    """The funds are enough for either: the cheaper one earns more for each dollar."""
    dear, cheap = offered("dear", "0.60", "0.010"), offered("cheap", "0.59", "0.005")

    decisions = decide(situation(dear, cheap, funds="0.012"))

    ev = {d.assumptions[0].label: d.ev_usd or D(0) for d in decisions}
    assert ev["classify=dear"] > ev["classify=cheap"]
    assert launched(decisions) == ["classify=cheap"]
    assert [d.reason for d in decisions if d.verdict is Verdict.HOLD] == ["budget"]


def test_what_puts_nothing_at_risk_goes_first() -> None:
    """Whatever the others earn."""
    free, best = offered("free", "0.59", "0"), offered("best", "0.60", "0.000001")

    assert launched(decide(situation(best, free))) == ["classify=free", "classify=best"]


@given(st.lists(st.tuples(st.integers(40, 99), st.integers(1, 20)), min_size=2, max_size=5))
def test_launches_come_by_falling_return(drawn: list[tuple[int, int]]) -> None:
    """For bets that exclude each other the whole order is that of EV / R."""
    bets = [
        offered(f"g{i}", f"0.{p}", str(D(worst).scaleb(-3))) for i, (p, worst) in enumerate(drawn)
    ]
    asked = situation(*bets, funds="9")
    asked = replace(asked, policy=replace(asked.policy, max_breadth=len(bets)))

    placed = [d for d in decide(asked) if d.verdict is Verdict.LAUNCH]

    returns = [(d.ev_usd or D(0)) / (d.worst_usd or D(1)) for d in placed]
    assert len(placed) == len(bets)
    assert returns == sorted(returns, reverse=True)
