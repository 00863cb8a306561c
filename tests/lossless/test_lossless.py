"""The lossless proof on fifty fixed seeds; `python -m tests.lossless` tries any others."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forerun.workflows.spec import parse_spec
from tests.lossless.case import Case, Manner
from tests.lossless.checks import Run, differences, violations
from tests.lossless.generator import generate
from tests.lossless.house import House
from tests.lossless.runner import PAIRS_AT_ONCE, Verdict, prove

# The SDK says so where a cut crosses the end of the call that it cuts.
pytestmark = pytest.mark.filterwarnings("ignore:Cannot find activity to cancel:UserWarning")

SEEDS = range(50)


@pytest.fixture(scope="module")
async def house(
    temporal_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("lossless")
    async with House.open(temporal_cli, folder, runs=2 * PAIRS_AT_ONCE) as house:
        yield house


@pytest.fixture(scope="module")
async def verdicts(house: House) -> list[Verdict]:
    return await prove(house, [generate(seed) for seed in SEEDS])


def test_speculation_changes_nothing_but_time_and_money(verdicts: list[Verdict]) -> None:
    """Outputs, effects and calls equal those without speculation; every run keeps the invariants."""
    problems = [f"seed {v.seed}: {problem}" for v in verdicts for problem in v.problems]
    assert not problems, "\n".join(problems)


def test_the_proof_is_about_something(verdicts: list[Verdict]) -> None:
    """What could go wrong happens: bets lost and won, lists, streams, effects, branches, faults."""
    happened = sum((verdict.tally for verdict in verdicts), Counter[tuple[str, str]]())
    assert happened["speculations", "launched"] > len(SEEDS)
    assert happened["speculations", "promoted"] > 10
    assert happened["speculations", "discarded"] + happened["speculations", "cut"] > 10
    assert happened["for_each", "items promoted"] > 5
    assert happened["streams", "checkpoints"] > 10
    assert happened["effects", "committed"] + happened["effects", "committed items"] > 10
    assert happened["effects", "rejected"] + happened["effects", "rejected items"] > 2
    assert happened["nodes", "skipped"] > 10
    assert happened["nodes", "failed"] > 3
    assert happened["providers", "faults"] > 3


async def test_an_altered_run_is_seen(house: House) -> None:
    """Each thing that the proof compares would be seen if it were otherwise."""
    case = _case()
    (verdict,) = await prove(house, [case])
    ahead, control = verdict.runs
    assert not verdict.problems
    assert ahead.result["ledger"]["speculations"]["promoted"] == 1
    for altered in (
        _with(ahead, outputs={**ahead.result["outputs"], "draft": "another"}),
        _with(ahead, skipped=["draft"]),
        _with(ahead, failed={"draft": "why"}),
        _with(ahead, effects={}),
        replace(ahead, rows=[]),
    ):
        assert list(differences(altered, control))
    for altered in (
        replace(ahead, rows=[*ahead.rows, *ahead.rows]),
        replace(ahead, requests=[*ahead.requests, *ahead.requests]),
    ):
        assert await violations(altered, case)


def test_a_seed_is_a_case() -> None:
    """The same seed gives the same case, and every case is a valid spec."""
    for seed in range(200):
        case = generate(seed)
        assert case == generate(seed)
        parse_spec(case.spec)
        parse_spec(case.control)


def _with(run: Run, **changes: Any) -> Run:
    return replace(run, result={**run.result, **changes})


def _case() -> Case:
    """A right guess, a draft made ahead of it, and an approved message."""
    guess = {"from": "value", "value": "billing", "p": 0.9}
    classify = {"prompt": "Classify", "choices": ["billing", "bug"], "guess": [guess]}
    return Case(
        seed=0,
        spec={
            "version": 1,
            "policy": {"budget_usd": "1", "usd_per_second": "1"},
            "nodes": {
                "classify": {"model": "openai:sim-mid", **classify},
                "draft": {"model": "anthropic:sim-mid", "prompt": "Draft: {{ classify }}"},
                "send": {"effect": "outbox.put", "args": {"to": "ann", "body": "{{ draft }}"}},
            },
        },
        rules=[
            {"match": "^Classify", "reply": "billing", "ttft_ms": 200},
            {"match": "^Draft", "reply": "Dear customer", "ttft_ms": 100},
        ],
        manners={"send": Manner.EXACT},
        changes=[],
    )
