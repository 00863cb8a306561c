"""Columns and points of a workload report's charts, as places on the page.

Columns are boxes placed by percentages, so that their labels keep their size on a narrow screen; the
square of the calibration is a picture.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from forerun.workers.report.figures import MINUS, brief_usd, percent
from forerun.workers.report.hits import Calibration
from forerun.workers.report.spread import Spread
from forerun.workers.report.what_if import Outlook

SQUARE = 230
"""The side of the calibration's plot, at (34, 14) of its view box."""
SQUARE_LEFT, SQUARE_TOP = 34, 14

MOST_MARKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A column: its place in percent, the label at its `tip`, and what stands under it.

    `lost` is about a loss, `chosen` is one to be seen.
    """

    left: str
    width: str
    top: str
    height: str
    tip: str
    label: str
    under: str
    lost: bool = False
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A chart: its columns, and where zero is, from the top."""

    bars: tuple[Bar, ...]
    zero: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """Guesses of one stated P: where their hit rate lies, and between what."""

    x: float
    y: float
    low_y: float
    high_y: float
    radius: float
    says: str


def histogram(found: Spread) -> Columns:
    """How many runs saved how many seconds; under each column, from where on."""
    columns = found.columns
    every = -(-len(columns) // MOST_MARKS)
    edges = [f"{column.low:g}".replace("-", MINUS) for column in columns]
    under = [edge if index % every == 0 else "" for index, edge in enumerate(edges)]
    lost = [column.low < 0 for column in columns]
    labels = [str(column.count or "") for column in columns]
    return _columns([column.count for column in columns], labels, under, lost)


def sweep(outlooks: Sequence[Outlook], in_force: Collection[Decimal]) -> Columns:
    """What each alpha would have earned, in dollars."""
    return _columns(
        [float(it.net_usd) for it in outlooks],
        [brief_usd(it.net_usd) for it in outlooks],
        [f"{it.alpha}" for it in outlooks],
        [it.net_usd < 0 for it in outlooks],
        [it.alpha in in_force for it in outlooks],
    )


def dots(found: Calibration) -> list[Dot]:
    """Hit rate over stated P; the bigger a dot, the more guesses."""
    most = max(it.rate.guesses for it in found.bins)
    return [
        Dot(
            x=round(SQUARE_LEFT + float(it.stated) * SQUARE, 2),
            y=_down(float(it.rate.share or 0)),
            low_y=_down(float(it.rate.low)),
            high_y=_down(float(it.rate.high)),
            radius=round(3 + 4 * (it.rate.guesses / most) ** 0.5, 2),
            says=f"{it.rate.right} of {it.rate.guesses}",
        )
        for it in found.bins
    ]


def _columns(
    values: Sequence[float],
    labels: Sequence[str],
    under: Sequence[str],
    lost: Sequence[bool],
    chosen: Sequence[bool] = (),
) -> Columns:
    low, high = min(0.0, *values), max(0.0, *values)
    extent = (high - low) or 1.0
    step = 1 / len(values)
    bars = [
        Bar(
            left=percent(index * step),
            width=percent(step),
            top=percent((high - max(value, 0)) / extent),
            height=percent(abs(value) / extent),
            tip=percent((high - value) / extent),
            label=labels[index],
            under=under[index],
            lost=lost[index],
            chosen=bool(chosen) and chosen[index],
        )
        for index, value in enumerate(values)
    ]
    return Columns(bars=tuple(bars), zero=percent(high / extent))


def _down(share: float) -> float:
    return round(SQUARE_TOP + (1 - share) * SQUARE, 2)
