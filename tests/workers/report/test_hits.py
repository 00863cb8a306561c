"""Hit rates with intervals that are what they say, and spreads that leave nothing out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.record import GuessTested
from forerun.workers.report.charts import histogram
from forerun.workers.report.hits import ENOUGH_GUESSES, calibration, edges, rate
from forerun.workers.report.spread import spread

ROUNDING = 1e-4
"""Of a probability at a bound that was rounded outwards to 6 decimals."""


def guess(right: bool, *, p: str = "0.5", node: str = "a", source: str = "value") -> GuessTested:
    return GuessTested(
        at="",
        guess=f"{node}@0",
        node=node,
        label=f'{node}="x"',
        source=source,
        p=Decimal(p),
        launched=True,
        actual_sha256="0" * 64,
        right=right,
        tier=1 if right else None,
    )


def at_least(right: int, draws: int, chance: float) -> float:
    """The chance of at least so many successes: also the Beta distribution function."""
    return math.fsum(
        math.comb(draws, k) * chance**k * (1 - chance) ** (draws - k)
        for k in range(right, draws + 1)
    )


@given(st.lists(st.booleans(), max_size=60))
def test_the_interval_leaves_out_as_much_on_both_sides(verdicts: Sequence[bool]) -> None:
    """I_x(1 + s, 1 + f) is the chance of more than s of n + 1: 2.5 % below, and 97.5 % below."""
    found = rate([guess(right) for right in verdicts])

    draws = found.guesses + 1
    assert abs(at_least(found.right + 1, draws, float(found.low)) - 0.025) < ROUNDING
    assert abs(at_least(found.right + 1, draws, float(found.high)) - 0.975) < ROUNDING
    if found.share is not None:
        assert found.low <= max(found.share, Decimal("0.5"))


def test_none_right_of_none_is_nothing_known() -> None:
    """The whole range but its tails, and no rate."""
    found = rate([])
    assert (found.share, found.low, found.high) == (None, Decimal("0.025"), Decimal("0.975"))


def test_constants_are_told_apart_and_other_sources_are_not() -> None:
    """What a stream tells is another value each time, and one edge."""
    tested = [guess(True), guess(False), guess(True, node="b", source="stream")]

    shown = edges(tested, [])

    assert [(edge.guess, edge.rate.right, edge.rate.guesses) for edge in shown] == [
        ('a="x"', 1, 2),
        ("b", 1, 1),
    ]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=80))
def test_calibration_takes_every_guess_once(found: list[tuple[bool, int]]) -> None:
    """In a tenth of its own; of too few guesses nothing is said."""
    tested = [guess(right, p=str(Decimal(percent) / 100)) for right, percent in found]

    told = calibration(tested)

    assert (told is None) == (len(tested) < ENOUGH_GUESSES)
    if told is not None:
        assert sum(it.rate.guesses for it in told.bins) == told.guesses == len(tested)
        assert [it.stated for it in told.bins] == sorted(it.stated for it in told.bins)
        assert 0 <= told.brier <= 1


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=60))
def test_a_spread_leaves_nothing_out(values: list[float]) -> None:
    """Every value is in one column, columns touch, and none spans 0: losses stand apart."""
    found = spread(values)

    assert found is not None
    assert sum(column.count for column in found.columns) == len(values)
    assert len(found.columns) <= 16
    for column in found.columns:
        hair = (column.high - column.low) / 1e6
        assert column.low >= -hair or column.high <= hair
    assert found.least <= found.low <= found.median <= found.high <= found.most
    assert len(histogram(found).bars) == len(found.columns)


def test_nothing_is_spread_over_nothing() -> None:
    """No runs, no spread."""
    assert spread([]) is None
