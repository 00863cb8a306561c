"""Beliefs: Beta counts, the priors, and the credible bound."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.beliefs import Beta, Dependency, joint, prior, stated

D = Decimal
counts = st.decimals(D("0.1"), 500, places=2)


@pytest.mark.parametrize("choices", [2, 3, 7, 100])
def test_router_prior_is_uniform(choices: int) -> None:
    """A router of k choices starts at 1/k (2606.07846 D5)."""
    assert round(prior(Dependency.ROUTER, choices=choices).mean * choices, 20) == 1


@pytest.mark.parametrize("dependency", list(Dependency))
def test_priors_are_probabilities(dependency: Dependency) -> None:
    """Every prior is a proper belief."""
    assert 0 < prior(dependency).mean < 1


@given(p=st.decimals(D("0.001"), D("0.999"), places=3))
def test_a_stated_p_is_the_mean(p: Decimal) -> None:
    """The spec's p is the mean of the belief it stands for."""
    assert stated(p).mean == p


def test_observations_move_the_mean() -> None:
    """Beta-Binomial: (alpha + s) / (alpha + beta + s + f); 11/15 is the paper's 0.733."""
    assert Beta(alpha=D(1), beta=D(2)).observed(right=10, wrong=2).mean == D(11) / D(15)


@pytest.mark.parametrize(
    ("alpha", "beta", "gamma", "bound"),
    [
        (1, 1, "0.3", "0.3"),  # uniform
        (2, 1, "0.25", "0.5"),  # x^2
        (1, 2, "0.75", "0.5"),  # 1 - (1 - x)^2
        (3, 1, "0.008", "0.2"),  # x^3
    ],
)
def test_bound_in_closed_form(alpha: int, beta: int, gamma: str, bound: str) -> None:
    """Where the quantile has a closed form, the bound is that, to the sixth decimal."""
    found = Beta(alpha=D(alpha), beta=D(beta)).lower_bound(D(gamma))

    assert D(bound) - D("0.000001") <= found <= D(bound)


def test_bound_agrees_with_sampling() -> None:
    """A tenth of a large sample lies below the 0.1 bound."""
    rng = random.Random(7)
    belief = Beta(alpha=D("6.2"), beta=D("3.8"))
    bound = float(belief.lower_bound(D("0.1")))

    below = sum(rng.betavariate(6.2, 3.8) < bound for _ in range(20_000))

    assert 0.09 < below / 20_000 < 0.11


@given(alpha=counts, beta=counts, low=st.decimals(D("0.01"), D("0.49"), places=2))
def test_bound_is_monotone(alpha: Decimal, beta: Decimal, low: Decimal) -> None:
    """A stricter bound is never higher, and all are probabilities."""
    belief = Beta(alpha=alpha, beta=beta)

    assert 0 <= belief.lower_bound(low) <= belief.lower_bound(1 - low) <= 1


def test_joint_of_nothing_is_certain() -> None:
    """No assumption, no doubt."""
    assert joint([]) == 1
    assert joint([D("0.5"), D("0.5")]) == D("0.25")


@pytest.mark.parametrize(("alpha", "beta"), [(0, 1), (1, 0), (-1, 2)])
def test_counts_are_positive(alpha: int, beta: int) -> None:
    """An improper belief is refused where it is made."""
    with pytest.raises(ValueError, match="must be positive"):
        Beta(alpha=D(alpha), beta=D(beta))
