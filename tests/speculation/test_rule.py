"""The dollar rule against the golden vectors of methods.md 1."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.rule import Worth, break_even, critical_branches, worth

D = Decimal
probabilities = st.decimals(0, 1, places=4)
amounts = st.decimals(D("0.0001"), 100, places=4)


@pytest.mark.parametrize(
    ("alpha", "p_min", "k_crit"),
    [
        ("0", "0.3484", "2.870"),
        ("0.25", "0.3048", "3.280"),
        ("0.5", "0.2613", "3.827"),
        ("0.75", "0.2177", "4.593"),
        ("1", "0.1742", "5.741"),
    ],
)
def test_auto_reply_vectors(alpha: str, p_min: str, k_crit: str) -> None:
    """AutoReply (L lambda $0.064, C $0.0135) breaks even where 2606.07846 6.1 says it does."""
    gain, cost = D("0.064"), D("0.0135")

    assert round(break_even(gain_usd=gain, cost_usd=cost, alpha=D(alpha)), 4) == D(p_min)
    assert round(critical_branches(gain_usd=gain, cost_usd=cost, alpha=D(alpha)), 3) == D(k_crit)


def test_example_10_1() -> None:
    """C $0.0165, L lambda $0.05, P 0.733, alpha 0.5: EV 0.03224 reaches 0.00825."""
    judged = worth(
        p=D("0.733"),
        seconds_saved=D(5),
        usd_per_second=D("0.01"),
        cost_usd=D("0.0165"),
        alpha=D("0.5"),
    )

    assert round(judged.ev_usd, 5) == D("0.03224")
    assert judged.threshold_usd == D("0.00825")
    assert judged.pays


@given(p=probabilities, more=probabilities, gain=amounts, cost=amounts, alpha=probabilities)
def test_monotone_in_p(
    p: Decimal, more: Decimal, gain: Decimal, cost: Decimal, alpha: Decimal
) -> None:
    """A more probable bet is never worth less."""
    low, high = sorted((p, more))
    one, other = (
        worth(p=x, seconds_saved=gain, usd_per_second=D(1), cost_usd=cost, alpha=alpha)
        for x in (low, high)
    )

    assert one.ev_usd <= other.ev_usd


@given(p=probabilities, gain=amounts, cost=amounts, alpha=probabilities, scale=st.integers(1, 1000))
def test_scale_free(p: Decimal, gain: Decimal, cost: Decimal, alpha: Decimal, scale: int) -> None:
    """Another currency does not change the verdict."""
    one = worth(p=p, seconds_saved=gain, usd_per_second=D(1), cost_usd=cost, alpha=alpha)
    other = worth(
        p=p, seconds_saved=gain, usd_per_second=D(scale), cost_usd=cost * scale, alpha=alpha
    )

    assert one.pays == other.pays


@given(gain=amounts, cost=amounts, alpha=probabilities)
def test_break_even_is_the_boundary(gain: Decimal, cost: Decimal, alpha: Decimal) -> None:
    """Just above P_min a bet pays, just below it does not."""
    edge = break_even(gain_usd=gain, cost_usd=cost, alpha=alpha)
    step = D("1e-9")

    def pays(p: Decimal) -> bool:
        return worth(p=p, seconds_saved=gain, usd_per_second=D(1), cost_usd=cost, alpha=alpha).pays

    assert pays(edge + step)
    assert not pays(edge - step)


@pytest.mark.parametrize(
    ("p", "guess_usd", "ev_usd", "bar_usd", "pays"),
    [
        ("0.20", "0", "0.0020", "0.00675", False),
        ("0.47", "0", "0.022925", "0.00675", True),
        ("0.62", "0", "0.03455", "0.00675", True),
        ("0.47", "0.0027", "0.020225", "0.0081", True),
        ("0.31", "0.0027", "0.007825", "0.0081", False),
        ("0.47", "0.0135", "0.009425", "0.0135", False),
    ],
)
def test_auto_reply_with_a_bought_guess(
    p: str, guess_usd: str, ev_usd: str, bar_usd: str, pays: bool
) -> None:
    """AutoReply at alpha 0.5 (methods.md 1), and the same bets with G of 0.2 C and of a whole C."""
    figures = worth(
        p=D(p),
        seconds_saved=D("6.4"),
        usd_per_second=D("0.01"),
        cost_usd=D("0.0135"),
        alpha=D("0.5"),
        guess_usd=D(guess_usd),
    )

    assert figures == Worth(ev_usd=D(ev_usd), threshold_usd=D(bar_usd))
    assert figures.pays == pays


@given(p=probabilities, gain=amounts, cost=amounts, guess=amounts, alpha=probabilities)
def test_a_bought_guess_needs_more_by_its_share_of_what_is_spent(
    p: Decimal, gain: Decimal, cost: Decimal, guess: Decimal, alpha: Decimal
) -> None:
    """P_min grows as C + G to C: it is (2 - alpha) (C + G) / (L lambda + C)."""
    figures = worth(
        p=p,
        seconds_saved=gain,
        usd_per_second=D(1),
        cost_usd=cost,
        alpha=alpha,
        guess_usd=guess,
    )
    edge = break_even(gain_usd=gain, cost_usd=cost, alpha=alpha) * (cost + guess) / cost

    assert abs(p - edge) < D("1e-20") or figures.pays == (p > edge)
