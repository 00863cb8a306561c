"""The audit of one history: read, checked by every law, replayed, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from temporalio.client import WorkflowHistory

from forerun import __version__
from forerun.speculation.decision import Decision
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import Outcome
from forerun.workers.audit import told, values
from forerun.workers.audit.accounts import speculations_of
from forerun.workers.audit.form import flaws, replayable
from forerun.workers.audit.laws import LAWS
from forerun.workers.audit.laws.ledger import ledger_of
from forerun.workers.audit.reading import AGENT_DAG, read_run
from forerun.workers.audit.replay import replay
from forerun.workers.audit.report import Checked, Replay, Report, Unsettled
from forerun.workers.audit.run import COMMIT, Run
from forerun.workers.audit.violation import Violation, violation
from forerun.workflows.agent_dag import AgentDag

WORKFLOWS: Mapping[str, type] = MappingProxyType({AGENT_DAG: AgentDag})
"""The code that a history can be replayed with, by the name of its workflow type."""


async def audit(history: WorkflowHistory, workflows: Mapping[str, type] = WORKFLOWS) -> Report:
    """Everything that can be said of a run from its history alone.

    A workflow type that is not among `workflows` is not replayed; all else is checked.
    """
    run, problems = read_run(history)
    return await audit_read(history, run, problems, workflows)


async def audit_read(
    history: WorkflowHistory,
    run: Run,
    problems: Sequence[Violation],
    workflows: Mapping[str, type] = WORKFLOWS,
) -> Report:
    """The audit of a history that was read already, as `read_run` gave it."""
    misshapen = list(flaws(history.events))
    found = [*problems, *misshapen]
    for check in LAWS:
        found += check(run)
    replayed, more = await _replayed(history, run, workflows, sound=not misshapen)
    in_order = sorted(dict.fromkeys([*found, *more]), key=lambda one: one.event_id)
    sums = ledger_of(run)
    return Report(
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        workflow_type=run.workflow_type,
        status=run.close.how,
        checked=_checked(run),
        replay=replayed,
        spent_usd=sums.spent_usd,
        wasted_usd=sums.wasted_usd,
        unsettled=None if run.settled else _unsettled(run),
        violations=tuple(in_order),
    )


async def _replayed(
    history: WorkflowHistory, run: Run, workflows: Mapping[str, type], *, sound: bool
) -> tuple[Replay, list[Violation]]:
    code = workflows.get(run.workflow_type)
    if code is None:
        why = f"the code of {run.workflow_type} is not at hand: name it with --workflow"
    elif not sound:
        why = "no server writes events in such an order"
    elif not replayable(history.events):
        why = "no workflow task is over yet"
    else:
        return await _compared(history, run, code)
    return Replay(state="skipped", why=why), []


async def _compared(
    history: WorkflowHistory, run: Run, code: type
) -> tuple[Replay, list[Violation]]:
    replayed = await replay(history, code)
    found = [
        *values.compare(history, replayed.commands),
        *told.compare(run, replayed.commands),
    ]
    if replayed.failure is None:
        return Replay(state="passed"), found
    written_by = run.opening.version if run.opening else __version__
    expected = f"the commands of forerun {__version__}"
    if written_by != __version__:
        expected += f" (it was written by {written_by}: audit it with that)"
    found.append(violation(replayed.failed_at, "", "replay", expected, replayed.failure))
    return Replay(state="failed", why=replayed.failure), found


def _checked(run: Run) -> Checked:
    return Checked(
        events=run.events,
        records=len(run.entries),
        decisions=len(list(run.of(Decision))),
        launches=sum(call.speculative for call in run.calls),
        outcomes=len(list(run.of(Outcome))),
        commits=sum(call.type == COMMIT for call in run.calls),
    )


def _unsettled(run: Run) -> Unsettled:
    open_ones = speculations_of(run).reserved
    return Unsettled(
        speculations=tuple(open_ones),
        calls=tuple(c.id for c in run.calls if c.end is None and c.id not in open_ones),
        worst_usd=sum(open_ones.values(), ZERO),
    )
