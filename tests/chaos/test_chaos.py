"""Twenty runs with effects, under kills and faults; `python -m tests.chaos` tries any others."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forerun.workflows.spec import parse_spec
from tests.chaos.checks import Column, Ended, Problem, outcome_problems, row_problems
from tests.chaos.expected import expected
from tests.chaos.faults import Deed
from tests.chaos.generator import generate
from tests.chaos.house import House
from tests.chaos.runner import Trial, Trials

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
    """Processes were killed while effects were under way, providers failed, people erred."""
    injected = sum((trial.injected for trial in trials), Counter[str]())
    assert sum(injected[deed.value] for deed in Deed if deed.shared) > 3
    assert sum(count for kind, count in injected.items() if kind.startswith("provider")) > 5
    assert sum(count for kind, count in injected.items() if kind.endswith("signal")) > 20
    assert sum(len(trial.ended.rows) for trial in trials) > 10


async def test_each_column_would_show(trials: list[Trial]) -> None:
    """What is wrong with a run, or with the rows beside it, is seen."""
    trial = next(one for one in trials if len(one.ended.rows) and one.ended.told[-1].close.result)
    ended, row = trial.ended, trial.ended.rows[0]

    assert not await _columns(ended)
    assert Column.DOUBLE in await _columns(replace(ended, rows=[*ended.rows, row]))
    assert Column.LOST in await _columns(replace(ended, rows=ended.rows[1:]))
    other = {**row, "digest": "0" * 64}
    assert Column.UNAPPROVED in await _columns(replace(ended, rows=[other]))
    assert Column.BROKEN in await _columns(replace(ended, may_end={"canceled"}))
    assert Column.LEAKED in await _columns(_altered(ended, outputs={"n0": "another"}))


async def test_a_seed_is_a_run() -> None:
    """The same seed gives the same run and the same faults; every spec is valid and has an outcome."""
    for seed in range(100):
        hardship = generate(seed)
        case = hardship.case
        assert hardship == generate(seed)
        parse_spec(case.spec)
        meant = {intent: manner.leads_to for intent, manner in case.manners.items()}
        assert set((await expected(case, meant, set())).arguments) <= set(meant)


async def _columns(ended: Ended) -> set[Column]:
    problems: list[Problem] = [*row_problems(ended), *await outcome_problems(ended)]
    return {column for column, _ in problems}


def _altered(ended: Ended, **changes: Any) -> Ended:
    """With another result."""
    last = ended.told[-1]
    result = {**(last.close.result or {}), **changes}
    altered = replace(ended)
    altered.told = [*ended.told[:-1], replace(last, close=replace(last.close, result=result))]
    return altered
