"""How something is spread over runs: quantiles, and columns to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST_COLUMNS = 14
STEPS = (1.0, 2.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """So many values from `low` on, below `high`; the last column has its end too."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Some values: `low`, `median` and `high` are their 10 %, 50 % and 90 % quantiles."""

    count: int
    total: float
    mean: float
    least: float
    low: float
    median: float
    high: float
    most: float
    columns: tuple[Column, ...]


def spread(values: Sequence[float]) -> Spread | None:
    """None of no values."""
    if not values:
        return None
    ordered = sorted(values)
    return Spread(
        count=len(ordered),
        total=math.fsum(ordered),
        mean=math.fsum(ordered) / len(ordered),
        least=ordered[0],
        low=quantile(ordered, 0.1),
        median=quantile(ordered, 0.5),
        high=quantile(ordered, 0.9),
        most=ordered[-1],
        columns=_columns(ordered),
    )


def quantile(ordered: Sequence[float], q: float) -> float:
    """Between the two values nearest to it, as most people do it."""
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _columns(ordered: Sequence[float]) -> tuple[Column, ...]:
    """At round numbers; 0 is always between two columns, so that losses stand apart."""
    width = _width(ordered[-1] - ordered[0])
    first, last = math.floor(ordered[0] / width), math.floor(ordered[-1] / width)
    counts = dict.fromkeys(range(first, last + 1), 0)
    for value in ordered:
        counts[math.floor(value / width)] += 1
    return tuple(
        Column(low=place * width, high=(place + 1) * width, count=count)
        for place, count in counts.items()
    )


def _width(extent: float) -> float:
    if extent <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(extent / MOST_COLUMNS))
    while True:
        for step in STEPS:
            if extent / (step * unit) <= MOST_COLUMNS - 1:
                return step * unit
        unit *= 10
