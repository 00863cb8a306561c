"""P, EV and the threshold of a guess, drawn: where it lies, and from which P on it pays.

EV is a straight line in P, from -C at 0 to L times lambda at 1, so the picture is exact: the bet pays
right of the point in which the line crosses the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.decision import Decision
from forerun.speculation.quantities import ONE, ZERO
from forerun.speculation.rule import Verdict
from forerun.workers.audit.run import Run
from forerun.workers.report.bets import assuming, calls_in, gain, spent_anyway
from forerun.workers.report.figures import probability, usd

WIDTH, HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 14, 306, 16, 160
"""The plot within the picture."""

EDGE = Decimal("0.12")
"""So near to 0 or 1 the label of P takes the place of theirs."""

LINE = 13
"""The height of a line of text."""

NEAR = 56
"""Within so many units of an edge a label stands on the other side of its point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text in the picture; `anchor` as in SVG."""

    x: float
    y: float
    anchor: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One guessed edge. Coordinates are those of the view box.

    `break_even` is None where no P pays. `says` is all of it in a sentence.
    """

    number: int
    title: str
    assuming: str
    verdict: Verdict
    decisions: int
    start: tuple[float, float]
    end: tuple[float, float]
    zero_y: float
    bar_y: float
    break_even_x: float | None
    point: tuple[float, float]
    p: str
    left_end: str
    right_end: str
    p_label: Label
    bar_label: Label
    even_label: Label | None
    says: str


def pictures(run: Run) -> list[Picture]:
    """One for each bet that was judged in dollars: that of the decision with most at stake."""
    judged: dict[str, list[tuple[int, Decision]]] = {}
    for number, (_, decision) in enumerate(run.of(Decision), start=1):
        drawable = decision.ev_usd is not None and decision.seconds_saved > 0
        if drawable and decision.verdict is not Verdict.CUT:
            judged.setdefault(decision.bet, []).append((number, decision))
    return [_picture(*max(found, key=_stake), len(found)) for found in judged.values()]


def _stake(one: tuple[int, Decision]) -> tuple[bool, Decimal]:
    """Launches before holds; of several, the one with most at risk."""
    decision = one[1]
    return decision.verdict is not Verdict.HOLD, decision.cost_usd or ZERO


def _picture(number: int, decision: Decision, decisions: int) -> Picture:
    bought, cost = spent_anyway(decision), decision.cost_usd or ZERO
    ev, bar = decision.ev_usd or ZERO, decision.threshold_usd or ZERO
    low, high = -cost - bought, gain(decision) - bought
    plot = _Plot(min(low, ZERO), max(high, bar, ZERO))
    even = break_even(decision)
    point = plot.x(decision.p), plot.y(ev)
    return Picture(
        number=number,
        title=calls_in(decision),
        assuming=assuming(decision),
        verdict=decision.verdict,
        decisions=decisions,
        start=(plot.x(ZERO), plot.y(low)),
        end=(plot.x(ONE), plot.y(high)),
        zero_y=plot.y(ZERO),
        bar_y=plot.y(bar),
        break_even_x=plot.x(even) if even is not None else None,
        point=point,
        p=probability(decision.p),
        left_end="P 0" if decision.p > EDGE else "P",
        right_end="1" if decision.p < ONE - EDGE else "",
        p_label=_beside(point, plot.y(bar), f"EV {usd(ev)}"),
        bar_label=_on_bar(plot.y(bar), f"threshold {usd(bar)}"),
        even_label=_under(plot.x(even), even) if even is not None else None,
        says=_says(decision, even),
    )


def break_even(decision: Decision) -> Decimal | None:
    """The least P at which this bet pays; None if there is none up to 1, or none is needed."""
    bought, cost, bar = spent_anyway(decision), decision.cost_usd, decision.threshold_usd
    slope = gain(decision) + (cost or ZERO)
    if cost is None or bar is None or slope <= 0 or decision.seconds_saved <= 0:
        return None
    least = (bar + cost + bought) / slope
    return max(least, ZERO) if least <= ONE else None


class _Plot:
    def __init__(self, low: Decimal, high: Decimal) -> None:
        self._low, self._range = low, (high - low) or ONE

    def x(self, p: Decimal) -> float:
        return round(LEFT + float(p) * (RIGHT - LEFT), 2)

    def y(self, usd: Decimal) -> float:
        return round(BOTTOM - float((usd - self._low) / self._range) * (BOTTOM - TOP), 2)


def _beside(point: tuple[float, float], bar_y: float, words: str) -> Label:
    """Left of its point, above the line; or right of it and below, where there is no room."""
    x, y = point
    if x - LEFT > 2 * NEAR:
        return Label(x=x - 9, y=max(y - 6, TOP + 8), anchor="end", words=words)
    below = y + 16
    if abs(below - 4 - bar_y) < LINE:
        below = bar_y + LINE + 2
    return Label(x=x + 9, y=min(below, BOTTOM - 4), anchor="start", words=words)


def _on_bar(bar_y: float, words: str) -> Label:
    """At its right end, where the line of a bet that pays is far above."""
    y = bar_y - 5 if bar_y > TOP + LINE else bar_y + LINE
    return Label(x=RIGHT - 2, y=y, anchor="end", words=words)


def _under(x: float, even: Decimal) -> Label:
    anchor = "start" if x < LEFT + NEAR else "end" if x > RIGHT - NEAR else "middle"
    return Label(x=x, y=BOTTOM + 24, anchor=anchor, words=f"break-even {probability(even)}")


def _says(decision: Decision, even: Decimal | None) -> str:
    relation = "reaches" if decision.verdict in (Verdict.LAUNCH, Verdict.BUY) else "against"
    from_p = f"it pays from P {probability(even)} on" if even is not None else "no P would pay"
    ev, bar = usd(decision.ev_usd), usd(decision.threshold_usd)
    return f"At P {probability(decision.p)}, EV {ev} {relation} the threshold {bar}; {from_p}."
