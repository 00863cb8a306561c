"""From runs to figures: ratios of an arm to its control, input by input, with their spread."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from benchmarks.spread import Pair, percentile, quartiles, ratio

CONTROL = "control"
EAGER = "eager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one input in one arm; dollars and tokens are those of full length.

    `seconds` are those until the run closed, and `seconds_usd` what they are worth. The other three
    are makespans of the control run's steps, each of which takes from the moment its inputs were
    there until its output was: one after the other (`plain_seconds`), as the oracle runs them, and
    with the bets that this run placed, each at the first possible moment (`placed_seconds`).
    """

    shape: str
    rate: float
    case: str
    arm: str
    seconds: float
    seconds_usd: float
    sequential_seconds: float
    plain_seconds: float
    oracle_seconds: float
    placed_seconds: float
    tokens: int
    spent_usd: float
    wasted_usd: float
    speculations: dict[str, int]
    held_though_right: Counter[str]


@dataclass(frozen=True, slots=True)
class Match:
    """A run and the control run of the same input."""

    run: Run
    control: Run

    @property
    def saved(self) -> float:
        """Seconds."""
        return self.control.seconds - self.run.seconds

    @property
    def savable(self) -> float:
        """Seconds that the oracle would have saved."""
        return self.run.plain_seconds - self.run.oracle_seconds

    @property
    def placeable(self) -> float:
        """Seconds that the placed bets would have saved without any delay."""
        return self.run.plain_seconds - self.run.placed_seconds

    @property
    def gain_usd(self) -> float:
        """What the saved seconds are worth, less what was spent on top."""
        worth = self.control.seconds_usd - self.run.seconds_usd
        return worth - (self.run.spent_usd - self.control.spent_usd)


def figures_of(runs: Sequence[Run]) -> dict[str, Any]:
    """All that is reported of the runs."""
    matches = _matches(runs)
    shapes = list(dict.fromkeys(run.shape for run in runs))
    rates = sorted({run.rate for run in runs})
    alphas = sorted({match.run.arm for match in matches} - {EAGER})
    return {
        "shapes": {shape: _shape([m for m in matches if m.run.shape == shape]) for shape in shapes},
        "cells": [
            {"shape": shape, "rate": rate, "alpha": alpha, **_cell(some)}
            for shape, rate, alpha in product(shapes, rates, alphas)
            if (some := _of(matches, shape=shape, rate=rate, arm=alpha))
        ],
        "all_shapes": [
            {"rate": rate, "alpha": alpha, **_cell(_of(matches, rate=rate, arm=alpha))}
            for rate, alpha in product(rates, alphas)
        ],
        "tails": {alpha: _tail(_of(matches, arm=alpha)) for alpha in alphas},
    }


def _matches(runs: Sequence[Run]) -> list[Match]:
    controls = {run.case: run for run in runs if run.arm == CONTROL}
    return [Match(run, controls[run.case]) for run in runs if run.arm != CONTROL]


def _of(matches: Sequence[Match], **fields: Any) -> list[Match]:
    return [m for m in matches if all(getattr(m.run, k) == v for k, v in fields.items())]


def _cell(matches: Sequence[Match]) -> dict[str, Any]:
    """Time, tokens, dollars, waste, and how much of the oracle's saving came true and why not all.

    Over several shapes each counts alike, however long it takes.
    """

    def over(part: Callable[[Match], float], whole: Callable[[Match], float]) -> dict[str, float]:
        return ratio(_weighted(matches, part, whole))

    endings = sum((Counter(m.run.speculations) for m in matches), Counter[str]())
    held = sum((m.run.held_though_right for m in matches), Counter[str]())
    return {
        "runs": len(matches),
        "time": over(lambda m: m.run.seconds, lambda m: m.control.seconds),
        "time_by_run": quartiles([m.run.seconds / m.control.seconds for m in matches]),
        "tokens": over(lambda m: m.run.tokens, lambda m: m.control.tokens),
        "usd": over(lambda m: m.run.spent_usd, lambda m: m.control.spent_usd),
        "waste": over(lambda m: m.run.wasted_usd, lambda m: m.control.spent_usd),
        "seconds_per_run": round(statistics.mean(m.run.seconds for m in matches), 3),
        "usd_per_run": round(statistics.mean(m.run.spent_usd for m in matches), 6),
        "gain_usd_per_run": round(statistics.mean(m.gain_usd for m in matches), 6),
        "oracle_time": over(lambda m: m.control.seconds - m.savable, lambda m: m.control.seconds),
        "of_oracle": over(lambda m: m.saved, lambda m: m.savable),
        "lost_to_bets_not_placed": over(lambda m: m.savable - m.placeable, lambda m: m.savable),
        "lost_to_delays": over(lambda m: m.placeable - m.saved, lambda m: m.savable),
        "speculations": dict(endings),
        "held_though_right": dict(held.most_common()),
    }


def _weighted(
    matches: Sequence[Match], part: Callable[[Match], float], whole: Callable[[Match], float]
) -> list[Pair]:
    """Pairs in units of the shape's own mean, so that sums are means over shapes."""
    wholes: dict[str, list[float]] = {}
    for match in matches:
        wholes.setdefault(match.run.shape, []).append(whole(match))
    unit = {shape: statistics.mean(values) or 1.0 for shape, values in wholes.items()}
    return [(part(m) / unit[m.run.shape], whole(m) / unit[m.run.shape]) for m in matches]


def _shape(matches: Sequence[Match]) -> dict[str, Any]:
    """What is said of a shape as a whole: where it breaks even, and how far the ledger is off."""
    eager = _of(matches, arm=EAGER)
    rates = sorted({match.run.rate for match in eager})
    gains = [(rate, [m.gain_usd for m in _of(eager, rate=rate)]) for rate in rates]
    others = [match for match in matches if match.run.arm != EAGER]
    controls = {match.run.case: match.control.seconds for match in matches}
    return {
        "control_seconds": quartiles(list(controls.values())),
        "eager_gain_usd": [
            {"rate": rate, **quartiles(gain, 6), "mean": round(statistics.mean(gain), 6)}
            for rate, gain in gains
        ],
        "break_even": break_even([(rate, statistics.mean(gain)) for rate, gain in gains]),
        "sequential_error": _errors([_sequential_error(m) for m in others]),
    }


def break_even(gains: Sequence[Pair]) -> dict[str, Any]:
    """At which hit rate the gain is zero, between the two rates around it.

    `side` is "below" where even the lowest rate gains, and "above" where even the highest loses.
    """
    if gains[0][1] >= 0:
        return {"rate": gains[0][0], "side": "below"}
    for (low, loss), (high, gain) in pairwise(gains):
        if gain >= 0:
            return {"rate": round(low + (high - low) * -loss / (gain - loss), 3), "side": "at"}
    return {"rate": gains[-1][0], "side": "above"}


def _sequential_error(match: Match) -> float:
    return match.run.sequential_seconds / match.control.seconds - 1


def _errors(errors: Sequence[float]) -> dict[str, float]:
    return {
        **quartiles(errors, 4),
        "p95_absolute": round(percentile([abs(error) for error in errors], 0.95), 4),
    }


def _tail(matches: Sequence[Match]) -> dict[str, float]:
    """The distribution of single runs against their controls: a median may hide a tail."""
    ratios = [match.run.seconds / match.control.seconds for match in matches]
    return {
        name: round(percentile(ratios, share), 3)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("worst", 1.0))
    }
