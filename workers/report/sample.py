"""What a workload report keeps of each run: figures and records, and no texts of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from temporalio.client import WorkflowHistory

from forerun.speculation.decision import Decision
from forerun.speculation.ledger import Ledger
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import GuessTested, Outcome
from forerun.speculation.table import Ending
from forerun.workers.audit.auditor import audit_read
from forerun.workers.audit.laws.ledger import ledger_of
from forerun.workers.audit.reading import read_run
from forerun.workers.audit.run import Run
from forerun.workers.report.costs import Spent
from forerun.workers.report.told import Timing, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run. `ended` are the dollars and numbers of its speculations by what became of them."""

    workload: str | None
    workflow_id: str
    status: str
    began_ms: int
    timing: Timing
    ledger: Ledger
    ended: Mapping[Ending, Spent]
    guesses: tuple[GuessTested, ...]
    decisions: tuple[Decision, ...]
    violations: int

    @property
    def promoted(self) -> int:
        """How many of its speculations were."""
        return self.ledger.endings[Ending.PROMOTED]

    @property
    def tested(self) -> tuple[GuessTested, ...]:
        """Its guesses that met an answer: of the others nobody can say whether they were right."""
        return tuple(guess for guess in self.guesses if guess.actual_sha256 is not None)


async def sample_of(history: WorkflowHistory) -> Sample:
    """What there is to keep of a history. It is checked by every law, and not replayed."""
    run, problems = read_run(history)
    audit = await audit_read(history, run, problems, {})
    return Sample(
        workload=run.workload,
        workflow_id=run.workflow_id,
        status=run.close.how.replace("_", " "),
        began_ms=run.began_ms,
        timing=told(run).timing,
        ledger=ledger_of(run),
        ended=_ended(run),
        guesses=tuple(guess for _, guess in run.of(GuessTested)),
        decisions=tuple(decision for _, decision in run.of(Decision)),
        violations=len(audit.violations),
    )


def _ended(run: Run) -> Mapping[Ending, Spent]:
    ended = {ending: Spent() for ending in Ending}
    for _, outcome in run.of(Outcome):
        ended[outcome.outcome] += Spent(
            calls=1, usd=outcome.best_usd or ZERO, unpriced=int(outcome.best_usd is None)
        )
    return ended
