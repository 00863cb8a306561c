"""Spread and figures: what they say of runs whose truth is known."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.savings_figures import CONTROL, EAGER, Run, break_even, figures_of
from benchmarks.spread import percentile, ratio

seconds = st.floats(0.1, 100)


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=20))
def test_a_ratio_lies_in_its_interval(pairs: list[tuple[float, float]]) -> None:
    """Of positive pairs; and pairs of equals have the ratio 1 without any doubt."""
    found = ratio(pairs, places=9)
    assert found["low"] <= found["high"]
    assert (
        min(a / b for a, b in pairs) - 1e-6 <= found["value"] <= max(a / b for a, b in pairs) + 1e-6
    )
    assert ratio([(a, a) for a, _ in pairs]) == {"value": 1.0, "low": 1.0, "high": 1.0}


@given(st.lists(seconds, min_size=1), st.floats(0, 1))
def test_a_percentile_is_between_the_extremes(values: list[float], share: float) -> None:
    """And at 0 and 1 it is one of them."""
    assert min(values) <= percentile(values, share) <= max(values)
    assert percentile(values, 0) == min(values)
    assert percentile(values, 1) == max(values)


def run(arm: str, case: str, **fields: Any) -> Run:
    usual: dict[str, Any] = {
        "shape": "s",
        "rate": 0.5,
        "seconds": 10.0,
        "sequential_seconds": 10.0,
        "plain_seconds": 9.5,
        "oracle_seconds": 4.5,
        "placed_seconds": 5.5,
        "tokens": 100,
        "spent_usd": 0.01,
        "wasted_usd": 0.0,
        "speculations": {},
        "held_though_right": Counter[str](),
    }
    given = usual | fields
    return Run(arm=arm, case=case, seconds_usd=0.01 * given["seconds"], **given)


def test_the_oracle_s_saving_is_divided_without_rest() -> None:
    """What came true, what was not placed and what was late add up to all that could be saved."""
    runs = [run(CONTROL, "a"), run("1", "a", seconds=6.5)]
    (cell,) = figures_of([*runs, run(EAGER, "a")])["cells"]
    parts = [cell[k]["value"] for k in ("of_oracle", "lost_to_bets_not_placed", "lost_to_delays")]
    assert parts == [0.7, 0.2, 0.1]
    assert cell["time"]["value"] == 0.65
    assert cell["gain_usd_per_run"] == 0.035


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=5))
def test_the_break_even_hit_rate_is_where_the_gain_is_zero(gains: list[float]) -> None:
    """It lies where the gain changes from loss to gain for the first time, or beyond the rates."""
    rates = [i / 10 for i in range(1, len(gains) + 1)]
    found = break_even(list(zip(rates, gains, strict=True)))
    first = next((i for i, gain in enumerate(gains) if gain >= 0), None)
    match found["side"]:
        case "below":
            assert first == 0
        case "above":
            assert first is None
        case _:
            assert first
            assert rates[first - 1] - 1e-3 <= found["rate"] <= rates[first] + 1e-3


def test_a_quarter_of_hits_breaks_even_between_loss_and_thrice_its_gain() -> None:
    """A loss of 1 at no hits and a gain of 3 at all hits."""
    assert break_even([(0.0, -1.0), (1.0, 3.0)]) == {"rate": 0.25, "side": "at"}
