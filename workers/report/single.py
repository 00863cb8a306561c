"""The report of one run: everything that its page shows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from forerun.speculation.ledger import Ledger
from forerun.speculation.quantities import dollars
from forerun.speculation.sequence import Stretch, span_ms
from forerun.workers.audit.report import Report
from forerun.workers.audit.run import Run
from forerun.workers.report.bets import Row, rows
from forerun.workers.report.costs import Cost, costs
from forerun.workers.report.effects import Effect, effects
from forerun.workers.report.figures import UNKNOWN, count, exact_usd, moment, places_of, seconds
from forerun.workers.report.gates import gates
from forerun.workers.report.headline import (
    NOTICEABLE_SECONDS,
    Tile,
    dials,
    sentence,
    tiles,
)
from forerun.workers.report.lanes import Kind, Lane, lanes
from forerun.workers.report.marks import SIGNS
from forerun.workers.report.nodes import Answer, answers
from forerun.workers.report.pictures import Picture, pictures
from forerun.workers.report.scale import Scale, scale_of
from forerun.workers.report.sequence import counterfactual
from forerun.workers.report.told import Timing, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One run. `sequence` is None where the graph of a run is not known.

    `audit` is its verdict in one line, `clean` whether nothing is violated.
    """

    workload: str
    workflow_id: str
    run_id: str
    type: str
    status: str
    failure: str
    began: str
    version: str
    dials: str
    sentence: str
    tiles: tuple[Tile, ...]
    scale: Scale
    lanes: tuple[Lane, ...]
    kinds: tuple[Kind, ...]
    sequence: dict[str, Stretch] | None
    sequence_scale: Scale
    sequence_ms: int
    sequence_note: str
    saved: Stretch | None
    rows: tuple[Row, ...]
    pictures: tuple[Picture, ...]
    costs: tuple[Cost, ...]
    ledger: Ledger
    effects: tuple[Effect, ...]
    approximations: tuple[str, ...]
    answers: tuple[Answer, ...]
    audit: str
    clean: bool
    violations: tuple[str, ...]

    @property
    def signs(self) -> list[tuple[str, str]]:
        """The signs of the marks on the lanes, each once, for the legend."""
        used = {mark.sign for it in self.lanes for mark in it.marks}
        return [(sign, words) for sign, words in SIGNS.items() if sign in used]

    def aligned(self, amount: Decimal) -> str:
        """Dollars with as many places as the most exact figure of the ledger needs."""
        amounts = [
            getattr(cost, place)
            for cost in self.costs
            for place in ("authoritative", "promoted", "wasted", "guesses")
        ]
        return dollars(amount, places_of(amounts))


def single(run: Run, audit: Report) -> Single:
    """What there is to say of a run that was audited."""
    by_node, ledger = costs(run)
    drawn = lanes(run, gates(run))
    laid = counterfactual(run)
    sequence_ms = span_ms(laid) if laid else 0
    running = [(s.begin_ms, s.end_ms) for it in drawn for s in it.spans if s.kind != Kind.GATE]
    says = told(run)
    return Single(
        workload=run.workload or UNKNOWN,
        workflow_id=run.workflow_id,
        run_id=run.run_id or UNKNOWN,
        type=run.workflow_type,
        status=run.close.how.replace("_", " "),
        failure=run.close.message,
        began=moment(run.began_ms),
        version=run.opening.version if run.opening else UNKNOWN,
        dials=dials(run),
        sentence=sentence(says.timing, ledger),
        tiles=tiles(run, says.timing, ledger),
        scale=scale_of(running, run.ended_ms - run.began_ms, sequence_ms),
        lanes=tuple(drawn),
        kinds=tuple(k for k in Kind if any(s.kind is k for it in drawn for s in it.spans)),
        sequence=laid,
        sequence_scale=scale_of([(0, sequence_ms)], sequence_ms, _shown_ms(run, running)),
        sequence_ms=sequence_ms,
        sequence_note=_sequence_note(says.timing, laid),
        saved=_saved(says.timing),
        rows=tuple(rows(run)),
        pictures=tuple(pictures(run)),
        costs=tuple(by_node),
        ledger=ledger,
        effects=tuple(effects(run)),
        approximations=tuple(map(_approximation, says.approximations)),
        answers=tuple(answers(run)),
        audit=verdict(audit),
        clean=audit.clean,
        violations=tuple(map(str, audit.violations)),
    )


def verdict(audit: Report) -> str:
    """The result of an audit in a line."""
    checked = audit.checked
    scope = f"{count(checked.events, 'event')} and {count(checked.records, 'record')} checked"
    replayed = {
        "passed": "replayed with the code of today",
        "failed": "the replay failed",
        "skipped": f"not replayed: {audit.replay.why}",
    }[audit.replay.state]
    found = count(len(audit.violations), "violation") if audit.violations else "no violation"
    unsettled = audit.unsettled
    tail = ""
    if unsettled is not None:
        under_way = count(len(unsettled.speculations), "speculation")
        tail = f"; unsettled: {under_way} of at most {exact_usd(unsettled.worst_usd)}"
    return f"{found}; {scope}, {replayed}{tail}"


def _sequence_note(timing: Timing, laid: dict[str, Stretch] | None) -> str:
    if laid is None:
        return "Unknown: the steps of this workflow, and what they need, are in its own code."
    rebuilt = seconds(span_ms(laid) / 1000)
    own = (
        f"; its own ledger says {seconds(timing.sequential)}"
        if timing.sequential is not None
        else ""
    )
    return (
        f"The same calls with their recorded durations, each in its turn and without waits for "
        f"people: {rebuilt}{own}."
    )


def _saved(timing: Timing) -> Stretch | None:
    """From where the run ended to where it would have ended without speculation."""
    if timing.took is None or timing.saved is None or timing.saved < NOTICEABLE_SECONDS:
        return None
    return Stretch(round(timing.took * 1000), round((timing.took + timing.saved) * 1000))


def _shown_ms(run: Run, running: list[tuple[int, int]]) -> float:
    return scale_of(running, run.ended_ms - run.began_ms).shown_ms


def _approximation(made: Mapping[str, Any]) -> str:
    return (
        f"{made.get('node')} answers {made.get('label')}, taken for the answer of "
        f"{made.get('upstream')} (tier {made.get('tier')}, {made.get('by')})"
    )
