"""The report of many runs: everything that its page shows, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.quantities import ZERO, dollars, text
from forerun.speculation.table import Ending
from forerun.workers.report.charts import Columns, Dot, dots, histogram, sweep
from forerun.workers.report.costs import Spent
from forerun.workers.report.figures import (
    UNKNOWN,
    brief_usd,
    count,
    moment,
    places_of,
    probability,
    seconds,
    share,
)
from forerun.workers.report.headline import Tile
from forerun.workers.report.hits import Calibration, Edge, Rate, calibration, edges, rate
from forerun.workers.report.sample import Sample
from forerun.workers.report.spread import Spread, spread
from forerun.workers.report.what_if import ALPHAS, Outlook, Wager, outlook, wagers

MOST_RUNS = 500
"""In the table; all of them are in the figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Dollars that went one way; `name` as in the ledger or as the outcome."""

    name: str
    kind: str
    letter: str
    spent: Spent
    part: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Many runs. `saved` and `saved_share` are of those with a result, the others are counted.

    `untested` guesses met no answer; `left_out` bets are in no sum of the what-if.
    """

    names: str
    runs: tuple[Sample, ...]
    hidden: int
    period: str
    sentence: str
    tiles: tuple[Tile, ...]
    saved: Spread | None
    saved_share: Spread | None
    histogram: Columns | None
    timeless: int
    edges: tuple[Edge, ...]
    untested: int
    calibration: Calibration | None
    dots: tuple[Dot, ...]
    places: tuple[Place, ...]
    spent: Decimal
    unpriced: int
    decided: int
    outlooks: tuple[Outlook, ...]
    in_force: Outlook
    alphas: str
    sweep: Columns | None
    measured: float | None
    wasted: Decimal
    violated: tuple[str, ...]

    @property
    def money_places(self) -> int:
        """As many as the most exact amount needs."""
        return places_of([place.spent.usd for place in self.places])

    def aligned(self, amount: Decimal) -> str:
        """Dollars with so many places."""
        return dollars(amount, self.money_places)


def workload(samples: Sequence[Sample]) -> Workload:
    """What there is to say of these runs; there is at least one."""
    runs = sorted(samples, key=lambda sample: sample.began_ms)
    timed = [run for run in runs if run.timing.saved is not None]
    tested = [guess for run in runs for guess in run.tested]
    saved, placed = spread([run.timing.saved or 0 for run in timed]), _wagers(runs)
    calibrated, outlooks = calibration(tested), [outlook(placed, alpha) for alpha in ALPHAS]
    in_force = sorted({decision.alpha for run in runs for decision in run.decisions})
    return Workload(
        names=", ".join(sorted({run.workload or UNKNOWN for run in runs})),
        runs=tuple(reversed(runs[-MOST_RUNS:])),
        hidden=max(len(runs) - MOST_RUNS, 0),
        period=f"{moment(runs[0].began_ms)} to {moment(runs[-1].began_ms)}",
        sentence=_sentence(runs, timed),
        tiles=_tiles(runs, timed, rate(tested)),
        saved=saved,
        saved_share=spread([part for run in timed if (part := _share(run)) is not None]),
        histogram=histogram(saved) if saved else None,
        timeless=len(runs) - len(timed),
        edges=tuple(edges(tested, (it for run in runs for it in run.decisions))),
        untested=sum(len(run.guesses) - len(run.tested) for run in runs),
        calibration=calibrated,
        dots=tuple(dots(calibrated)) if calibrated else (),
        places=tuple(_places(runs)),
        spent=sum((run.ledger.spent_usd for run in runs), ZERO),
        unpriced=sum(run.ledger.unpriced_calls for run in runs),
        decided=len(placed),
        outlooks=tuple(outlooks),
        in_force=outlook(placed, None),
        alphas=", ".join(map(text, in_force)) or UNKNOWN,
        sweep=sweep(outlooks, in_force) if placed else None,
        measured=_total(timed)[0] if timed else None,
        wasted=sum((run.ledger.wasted_usd for run in runs), ZERO),
        violated=tuple(f"{r.workflow_id}: {r.violations}" for r in runs if r.violations),
    )


def _wagers(runs: Sequence[Sample]) -> list[Wager]:
    found: list[Wager] = []
    for run in runs:
        tested = {guess.guess: guess.right for guess in run.tested}
        found += wagers(run.decisions, tested)
    return found


def _share(run: Sample) -> float | None:
    saved, without = run.timing.saved, run.timing.sequential
    return saved / without if saved is not None and without else None


def _total(timed: Sequence[Sample]) -> tuple[float, float]:
    """Seconds saved, and seconds without speculation."""
    return (
        sum(run.timing.saved or 0 for run in timed),
        sum(run.timing.sequential or 0 for run in timed),
    )


def _sentence(runs: Sequence[Sample], timed: Sequence[Sample]) -> str:
    spent = sum((run.ledger.spent_usd for run in runs), ZERO)
    wasted = sum((run.ledger.wasted_usd for run in runs), ZERO)
    cost = f"they spent {brief_usd(spent)}"
    if wasted:
        cost += f", of which {brief_usd(wasted)} ({share(wasted, spent)}) was wasted on speculation"
    if not timed:
        return f"{count(len(runs), 'run')}: {cost}. How much time it saved is unknown."
    saved, without = _total(timed)
    change = f"{seconds(abs(saved))} {'saved' if saved >= 0 else 'lost'}"
    of = f"of {seconds(without)} ({share(abs(saved), without) or '0%'})"
    return f"{count(len(runs), 'run')}: {change} {of}; {cost}."


def _tiles(runs: Sequence[Sample], timed: Sequence[Sample], hits: Rate) -> tuple[Tile, ...]:
    saved, without = _total(timed)
    wasted = sum((run.ledger.wasted_usd for run in runs), ZERO)
    spent = sum((run.ledger.spent_usd for run in runs), ZERO)
    launched = sum(run.ledger.launched for run in runs)
    promoted = sum(run.ledger.endings[Ending.PROMOTED] for run in runs)
    return (
        Tile(
            name="Time saved",
            value=seconds(saved) if timed else UNKNOWN,
            note=f"{share(saved, without) or '0%'} of {seconds(without)} without speculation",
            tone="good" if saved > 0 else "",
        ),
        Tile(name="Spent", value=brief_usd(spent), note=f"in {count(len(runs), 'run')}"),
        Tile(
            name="Wasted",
            value=brief_usd(wasted),
            note=f"{promoted} of {launched} speculations promoted",
            tone="bad" if wasted else "",
        ),
        Tile(
            name="Guesses right",
            value=share(hits.right, hits.guesses) or UNKNOWN,
            note=f"{hits.right} of {hits.guesses}; 95%: {_between(hits)}",
        ),
    )


def _between(hits: Rate) -> str:
    return f"{probability(hits.low)[:4]} to {probability(hits.high)[:4]}"


def _places(runs: Sequence[Sample]) -> list[Place]:
    """Where the dollars went, in the order of the ledger."""
    ended = {
        ending: sum((run.ended[ending] for run in runs), Spent())
        for ending in (Ending.PROMOTED, Ending.DISCARDED, Ending.CUT, Ending.FAILED)
    }
    authoritative = sum((run.ledger.authoritative_usd for run in runs), ZERO)
    guesses = sum((run.ledger.guess_usd for run in runs), ZERO)
    spent = sum((run.ledger.spent_usd for run in runs), ZERO)
    rows = [
        ("authoritative", "authoritative", "A", Spent(usd=authoritative)),
        ("promoted", "promoted", "P", ended[Ending.PROMOTED]),
        ("discarded (wasted)", "discarded", "D", ended[Ending.DISCARDED]),
        ("cut (wasted)", "cut", "C", ended[Ending.CUT]),
        ("failed (wasted)", "failed", "F", ended[Ending.FAILED]),
        ("guesses bought or compared", "guess", "G", Spent(usd=guesses)),
    ]
    return [
        Place(
            name=name,
            kind=kind,
            letter=letter,
            spent=found,
            part=float(found.usd / spent) if spent else 0,
        )
        for name, kind, letter, found in rows
    ]
