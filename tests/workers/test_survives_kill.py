"""Each kind of worker is killed at its worst moment, and the run ends as if nothing had happened.

The worker is a real process, `kill -9` is real, and another process takes its place. The server
misses a dead worker only after the heartbeat timeout of 10 s, so all four runs go on at once, each
on a server of its own, since the names of the task queues are fixed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from forerun.speculation.quantities import number
from forerun.workers.audit.auditor import audit
from forerun.workers.roles import Role
from tests.workers.fates import FATES, REPLY, Ending, endure


@pytest.fixture(scope="module")
async def endings(
    temporal_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[Role, asyncio.Task[Ending]]]:
    """All runs, going on at once; a test awaits its own."""
    tasks = {
        fate.victim: asyncio.create_task(
            endure(temporal_cli, tmp_path_factory.mktemp(fate.victim), fate)
        )
        for fate in FATES
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("victim", list(Role))
async def test_the_run_ends_as_if_nothing_had_happened(
    endings: dict[Role, asyncio.Task[Ending]], victim: Role
) -> None:
    """Right outputs, one row, one outcome per launch, every dollar told once, and it replays."""
    ending = await endings[victim]

    written = ("facts", "draft", "letter", "close")
    assert {name: ending.result["outputs"][name] for name in written} == dict.fromkeys(
        written, REPLY
    )
    (row,) = ending.rows
    assert (row["intent"], row["approved_by"]) == ("send", "ann")
    assert ending.result["effects"]["send"]["receipt"]["committed_at"] == row["committed_at"]
    assert sorted(ending.fates) == ["close", "draft", "letter"]
    assert ending.result["ledger"]["unpriced_calls"] == 0
    report = await audit(ending.story.history)
    assert report.clean, report.violations
    assert report.replay.state == "passed"


async def test_a_speculation_dies_with_its_worker_unless_it_was_claimed(
    endings: dict[Role, asyncio.Task[Ending]],
) -> None:
    """Unclaimed, it has one attempt: it failed, cost what it last told, and the need runs anew.

    Claimed, it has the retries of certain work, and is promoted at the second attempt.
    """
    ending = await endings[Role.SPECULATIVE]

    assert ending.fates == {"draft": "promoted", "letter": "failed", "close": "promoted"}
    assert ending.attempts(ending.story.ahead("draft")[0]) == 2
    assert "letter" in ending.story.activity_ids()
    assert "draft" not in ending.story.activity_ids()
    assert sorted(ending.prompts) == ["Close", "Draft", "Draft", "Facts", "Letter:", "Letter:"]
    (lost,) = [o for o in ending.story.of_kind("outcome") if o["outcome"] == "failed"]
    assert number(ending.result["ledger"]["wasted_usd"]) == number(lost["best_usd"]) > 0


async def test_certain_work_is_tried_again(endings: dict[Role, asyncio.Task[Ending]]) -> None:
    """Both attempts are told in the bill, and what ran ahead of it meanwhile is claimed."""
    ending = await endings[Role.CALL]

    assert set(ending.fates.values()) == {"promoted"}
    assert [ending.attempts(name) for name in ("facts", "topic", "name")] == [2, 2, 2]
    assert sorted(ending.prompts) == ["Close", "Draft", "Facts", "Facts", "Letter:"]
    end = ending.story.ended("facts")
    assert end is not None
    (result,) = end.activity_task_completed_event_attributes.result.payloads
    assert json.loads(result.data)["bill"]["attempts"] == 2


async def test_decisions_outlive_the_process_that_took_them(
    endings: dict[Role, asyncio.Task[Ending]],
) -> None:
    """Another process reads them in the history and goes on: nothing is launched or asked twice."""
    ending = await endings[Role.WORKFLOW]

    assert set(ending.fates.values()) == {"promoted"}
    assert sorted(ending.prompts) == ["Close", "Draft", "Facts", "Letter:"]
    tasks = (e.workflow_task_completed_event_attributes for e in ending.story.history.events)
    assert len({task.identity for task in tasks if task.identity}) == 2


async def test_a_commit_happens_once(endings: dict[Role, asyncio.Task[Ending]]) -> None:
    """Three workers tried it, two of them wrote it, and there is one row: that of the first."""
    ending = await endings[Role.COMMIT]

    assert ending.attempts("commit:send") == 3
    assert len(ending.rows) == 1
