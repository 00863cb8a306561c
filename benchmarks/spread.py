"""Ratios and their spread: what may be said of a handful of noisy runs."""

from __future__ import annotations

import random
from collections.abc import Sequence

DRAWS = 1000
SEED = 20261121

Pair = tuple[float, float]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of all lies, interpolated; 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def quartiles(values: Sequence[float], places: int = 3) -> dict[str, float]:
    """Median and interquartile range."""
    return {
        "median": round(percentile(values, 0.5), places),
        "q1": round(percentile(values, 0.25), places),
        "q3": round(percentile(values, 0.75), places),
    }


def ratio(pairs: Sequence[Pair], places: int = 3) -> dict[str, float]:
    """The sum of the first over the sum of the second, and where 95 % of its bootstrap lie."""
    rng = random.Random(SEED)
    draws = [_ratio(rng.choices(pairs, k=len(pairs))) for _ in range(DRAWS)]
    return {
        "value": round(_ratio(pairs), places),
        "low": round(percentile(draws, 0.025), places),
        "high": round(percentile(draws, 0.975), places),
    }


def _ratio(pairs: Sequence[Pair]) -> float:
    below = sum(pair[1] for pair in pairs)
    return sum(pair[0] for pair in pairs) / below if below else 0.0
