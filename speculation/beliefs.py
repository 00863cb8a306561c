"""How probable a guess is: Beta counts, their mean and a lower credible bound.

The Beta-Binomial posterior and the bound in place of P are 2606.07846 (7.5 and D5; the text names
one dependency type, the router, with mean 1/k). The other priors here are **ours**, and so is the
weight of a stated `p`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from enum import StrEnum

from forerun.speculation.quantities import FIGURES, ONE, number

STATED_WEIGHT = Decimal(10)
"""A `p` in the spec counts like ten observations (ours)."""

BOUND_PLACES = Decimal("0.000001")


class Dependency(StrEnum):
    """What kind of answer an edge waits for; the kinds beyond `router` are ours."""

    ROUTER = "router"
    """One of k choices (2606.07846: `router_k_way`, prior mean 1/k)."""
    REVIEW = "review"
    """A check that usually passes its input on unchanged (Sherlock: 0.6-0.8 do)."""
    EXTRACTION = "extraction"
    """Structured data read out of a text."""
    FREE_TEXT = "free_text"
    """Prose: a guess is rarely right to the letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beta:
    """A Beta distribution; `alpha` and `beta` are pseudo-counts of right and wrong, both > 0."""

    alpha: Decimal
    beta: Decimal

    def __post_init__(self) -> None:
        if self.alpha <= 0 or self.beta <= 0:
            raise ValueError(f"Beta({self.alpha}, {self.beta}): both counts must be positive")

    @property
    def mean(self) -> Decimal:
        """The posterior mean, in the fixed context of decision figures."""
        return FIGURES.divide(self.alpha, self.alpha + self.beta)

    def observed(self, *, right: int, wrong: int) -> Beta:
        """The posterior after so many right and wrong guesses."""
        return Beta(alpha=self.alpha + right, beta=self.beta + wrong)

    def lower_bound(self, gamma: Decimal) -> Decimal:
        """The gamma-quantile, rounded down to 6 decimals; 0 < gamma < 1 (2606.07846 7.5)."""
        return number(self._quantile(gamma)).quantize(BOUND_PLACES, rounding=ROUND_FLOOR)

    def interval(self, mass: Decimal) -> tuple[Decimal, Decimal]:
        """The equal-tailed credible interval of this mass, rounded outwards to 6 decimals.

        0 < mass < 1: it leaves out as much above as below.
        """
        tail = (ONE - mass) / 2
        high = number(self._quantile(ONE - tail)).quantize(BOUND_PLACES, rounding=ROUND_CEILING)
        return self.lower_bound(tail), high

    def _quantile(self, gamma: Decimal) -> float:
        if not 0 < gamma < 1:
            raise ValueError(f"gamma {gamma} is not between 0 and 1")
        return _quantile(float(gamma), float(self.alpha), float(self.beta))


def stated(p: Decimal) -> Beta:
    """The belief behind a `p` that the spec states, 0 < p < 1."""
    return Beta(alpha=STATED_WEIGHT * p, beta=STATED_WEIGHT * (ONE - p))


def prior(dependency: Dependency, *, choices: int = 2) -> Beta:
    """The belief about an edge nothing is known of yet. `choices` counts for a router only."""
    match dependency:
        case Dependency.ROUTER:
            if choices < 2:
                raise ValueError(f"a router has at least two choices, not {choices}")
            return Beta(alpha=ONE, beta=Decimal(choices - 1))
        case Dependency.REVIEW:
            return Beta(alpha=Decimal(7), beta=Decimal(3))
        case Dependency.EXTRACTION:
            return Beta(alpha=ONE, beta=ONE)
        case Dependency.FREE_TEXT:
            return Beta(alpha=ONE, beta=Decimal(9))


def joint(probabilities: list[Decimal]) -> Decimal:
    """All of them at once, independent unless a source says otherwise (design 1)."""
    with localcontext(FIGURES):
        return math.prod(probabilities, start=ONE)


def _quantile(p: float, a: float, b: float) -> float:
    """The inverse of the regularised incomplete beta function, by bisection to the last bit."""
    low, high = 0.0, 1.0
    while (middle := (low + high) / 2) not in (low, high):
        if _regularised_beta(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return low


def _regularised_beta(x: float, a: float, b: float) -> float:
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_front + a * math.log(x) + b * math.log1p(-x))
    # The continued fraction converges fast on this side of the mean only.
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(x, a, b) / a
    return 1 - front * _continued_fraction(1 - x, b, a) / b


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Lentz's evaluation of the fraction of I_x(a, b)."""
    tiny, c = 1e-300, 1.0
    d = 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    result = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d, tiny)
            c = _away_from_zero(1 + term / c, tiny)
            result *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return result


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
