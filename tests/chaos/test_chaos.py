"""Twenty runs with effects, under kills and faults; `python -m tests.chaos` tries any others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from forerun.workflows.spec import parse_spec
from tests.chaos.checks import Column, Ended, Problem, audited, row_problems, stage_problems
from tests.chaos.expected import expected
from tests.chaos.faults import Deed
from tests.chaos.generator import generate
from tests.chaos.house import House
from tests.chaos.outcomes import outcome_problems
from tests.chaos.runner import Trial, Trials
from tests.chaos.watching import MOST_EVENTS, Watched
from tests.forging import Forged, attributes
from tests.lossless.case import Manner

SEEDS = range(248, 268)


@pytest.fixture(scope="module")
async def house(
    temporal_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with House.open(temporal_cli, tmp_path_factory.mktemp("chaos")) as house:
        yield house


@pytest.fixture(scope="module")
async def trials(house: House) -> list[Trial]:
    return await Trials(house).run([generate(seed) for seed in SEEDS])


def test_whatever_dies_nothing_is_doubled_lost_or_leaked(house: House, trials: list[Trial]) -> None:
    """Effects happen once and approved, outputs are those of the spec in order, audits are clean."""
    problems = [
        f"seed {trial.hardship.seed}: {problem}" for trial in trials for problem in trial.problems
    ]
    assert not problems, "\n".join(problems)
    assert not house.deaths


def test_it_was_dangerous(trials: list[Trial]) -> None:
    """Processes were killed while effects were under way, providers failed, people erred.

    And most of what was drawn has found its moment: one that nobody recognizes any more injects
    nothing.
    """
    injected = sum((trial.injected for trial in trials), Counter[str]())
    drawn = Counter(fault.deed.value for trial in trials for fault in trial.hardship.faults)
    assert 2 * (drawn & injected).total() > drawn.total()
    assert sum(injected[deed.value] for deed in Deed if deed.shared) > 3
    assert sum(count for kind, count in injected.items() if kind.startswith("provider")) > 5
    assert sum(count for kind, count in injected.items() if kind.endswith("signal")) > 20
    assert sum(len(trial.ended.rows) for trial in trials) > 10


async def test_each_column_would_show(trials: list[Trial]) -> None:
    """What is wrong with a run, or with the rows beside it, is seen."""
    ended = _whole(trials)
    row, result = ended.rows[0], ended.result or {}
    intent, effects = row["intent"], result["effects"]

    assert not await _columns(ended)
    assert Column.DOUBLE in await _columns(replace(ended, rows=[*ended.rows, row]))
    assert Column.LOST in await _columns(replace(ended, rows=ended.rows[1:]))
    other = {**row, "digest": "0" * 64}
    assert Column.UNAPPROVED in await _columns(replace(ended, rows=[other]))
    refused = {**effects, intent: {**effects[intent], "state": "rejected"}}
    assert Column.UNAPPROVED in await _columns(_altered(ended, effects=refused))
    assert Column.LEAKED in await _columns(_altered(ended, outputs={"n0": "another"}))
    told = {**result["ledger"], "spent_usd": "1000"}
    assert Column.LEDGER in await _columns(_altered(ended, ledger=told))
    assert Column.BROKEN in await _columns(_closed(ended, how="terminated"))
    assert Column.BROKEN in await _columns(_closed(ended, how="canceled"))
    assert Column.BROKEN in await _columns(_closed(ended, result=None))


async def test_what_a_cancelled_run_has_written_is_compared(trials: list[Trial]) -> None:
    """It returns nothing, and yet no row of it may hold what the spec does not ask for."""
    ended = _closed(_whole(trials), result=None)
    row = ended.rows[0]
    leaked = {**row, "arguments": json.dumps({"to": "eve", "body": "on a wrong guess"})}

    assert Column.LEAKED not in await _columns(ended)
    assert Column.LEAKED in await _columns(replace(ended, rows=[leaked, *ended.rows[1:]]))


async def test_failures_need_a_reason(trials: list[Trial]) -> None:
    """A node whose provider never failed does not fail of it; nor, without a kill, of silence."""
    ended = _whole(trials)
    outputs: dict[str, Any] = (ended.result or {})["outputs"]
    node = next(name for name in outputs if not ended.hardship.refuses(name))
    for why, killed, fine in (
        ("timed out (heartbeat)", True, True),
        ("timed out (heartbeat)", False, False),
        ("the provider's side (HTTP 500)", True, False),
        ("boom", True, False),
    ):
        failed = _altered(replace(ended, killed=killed), failed={node: why})
        problems = [said for _, said in await outcome_problems(failed)]
        assert (f"{node} failed: {why}" in problems) is not fine


async def test_the_books_of_what_ended_are_audited(trials: list[Trial]) -> None:
    """An amount in a history lands in one column; a record, a step or a failed task in another."""
    history = _whole(trials).histories[-1]
    assert not await audited(history)

    ledger, record, step, task = (Left(history) for _ in range(4))
    with ledger.result() as result:
        result["ledger"]["spent_usd"] = "1000"
    with record.record("opening") as opening:
        opening["previous"] = "0" * 63 + "1"
    attributes(step.of_type("ACTIVITY_TASK_SCHEDULED")[0])["activityId"] = "another"
    task.fail_a_task()

    assert {column for column, _ in await audited(ledger.history())} == {Column.LEDGER}
    assert {column for column, _ in await audited(record.history())} == {Column.AUDIT}
    assert "replay" in " ".join(why for _, why in await audited(step.history()))
    assert "workflow task failed" in " ".join(why for _, why in await audited(task.history()))


async def test_a_stage_that_is_left_is_seen(house: House, trials: list[Trial]) -> None:
    """By its run when that closes, and after a sweep if that one does not find it."""
    trial = next(one for one in trials if len(one.ended.told) == 1 and one.ended.told[0].settled)
    swept, kept = ({"workflow_id": trial.ended.id, "intent": name} for name in ("e8", "e9"))
    assert not list(stage_problems(trial.ended))
    [(column, _)] = stage_problems(replace(trial.ended, staged=[swept]))
    assert column is Column.ORPHANED

    house.leave_staged(**swept, staged_at="2000-01-01")
    await Trials(house).check_sweep([again := replace(trial, problems=[])])
    assert not again.problems
    house.leave_staged(**kept, staged_at="9999-01-01")  # no sweep is meant to find it
    await Trials(house).check_sweep([again])
    assert [column for column, _ in again.problems] == [Column.ORPHANED]


async def test_a_run_of_which_nothing_is_heard_hangs(house: House, trials: list[Trial]) -> None:
    """It waits for somebody who never comes: no event, and no end."""
    assert trials  # their rules and sweeps are over
    hardship = generate(SEEDS[0])
    waits = {"effect": "outbox.put", "args": {"to": "ann", "body": "-"}}
    case = replace(
        hardship.case,
        spec={"version": 1, "nodes": {"e0": waits}},
        manners={"e0": Manner.SILENT},
        changes=[],
    )
    alone = replace(hardship, case=case, faults=(), refusals=())

    [trial] = await Trials(house, quiet_seconds=3).run([alone])

    assert Column.HUNG in {column for column, _ in trial.problems}


async def test_a_run_without_an_end_hangs(house: House) -> None:
    """Also where there is always news of it."""
    watched = Watched(house, "an id", "a run", "a tag")
    watched.events = [None] * (MOST_EVENTS + 1)

    with pytest.raises(TimeoutError):
        await watched.hangs(quiet_seconds=600)


async def test_a_seed_is_a_run() -> None:
    """The same seed gives the same run and the same faults; every spec is valid and has an outcome."""
    for seed in range(100):
        hardship = generate(seed)
        case = hardship.case
        assert hardship == generate(seed)
        parse_spec(case.spec)
        meant = {intent: manner.leads_to for intent, manner in case.manners.items()}
        assert set((await expected(case, meant, set())).arguments) <= set(meant)


class Left(Forged):
    """What a run left, for altering."""

    def __init__(self, history: WorkflowHistory) -> None:
        self.name = history.workflow_id
        self.events = json.loads(history.to_json())["events"]

    def fail_a_task(self) -> None:
        """Let a workflow task have failed of a bug, before its next attempt went well."""
        begun = self.of_type("WORKFLOW_TASK_STARTED")[0]
        scheduled = attributes(begun)["scheduledEventId"]
        failed = self.repeat(begun, behind=begun)
        failed["eventType"] = "EVENT_TYPE_WORKFLOW_TASK_FAILED"
        del failed["workflowTaskStartedEventAttributes"]
        failed["workflowTaskFailedEventAttributes"] = {
            "scheduledEventId": scheduled,
            "startedEventId": begun["eventId"],
            "cause": "WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR",
        }


def _whole(trials: Sequence[Trial]) -> Ended:
    """One that was never reset, returned a result, and has committed something."""
    return next(
        trial.ended
        for trial in trials
        if trial.ended.rows
        and len(trial.ended.told) == 1
        and trial.ended.told[0].close.how == "completed"
    )


async def _columns(ended: Ended) -> set[Column]:
    problems: list[Problem] = [*row_problems(ended), *await outcome_problems(ended)]
    return {column for column, _ in problems}


def _altered(ended: Ended, **changes: Any) -> Ended:
    """With another result."""
    return _closed(ended, result={**(ended.result or {}), **changes})


def _closed(ended: Ended, **changes: Any) -> Ended:
    """With another end of its last run."""
    last = ended.told[-1]
    altered = replace(ended)
    altered.told = [*ended.told[:-1], replace(last, close=replace(last.close, **changes))]
    return altered
