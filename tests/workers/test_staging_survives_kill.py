"""A commit worker dies when it has staged and nobody has heard of it: nothing of that is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from forerun.activities.intent import SweepRequest
from forerun.workers.audit.auditor import audit
from forerun.workers.roles import Role
from forerun.workers.sweeping import ask_for_sweep
from tests.harness import Story
from tests.workers.hardship import Hardship

PATIENCE_SECONDS = 120


@pytest.fixture
async def hardship(temporal_cli: Path, tmp_path: Path) -> AsyncGenerator[Hardship]:
    """A stack whose commit worker is a process of its own."""
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        Hardship.begin(temporal_cli, tmp_path, Role.COMMIT) as hardship,
    ):
        await hardship.hire()
        yield hardship


def spec(folder: Path) -> dict[str, Any]:
    """A draft on a topic that is guessed wrong, and that comes when the test allows it."""
    return {
        "version": 1,
        "nodes": {
            "topic": {
                "tool": "held.wait",
                "args": {"value": "bug", "until": str(folder / "topic")},
                "guess": [{"from": "value", "value": "billing", "p": 0.9}],
                "estimate": {"seconds": 600},
            },
            "note": {"effect": "held.note", "args": {"title": "{{ topic }}", "body": "-"}},
        },
    }


async def test_what_a_killed_worker_has_staged_is_thrown_away(hardship: Hardship) -> None:
    """By the run, where it lives on; by a sweep, where it was terminated meanwhile."""
    stack = hardship.stack

    def states(run: Any) -> list[str]:
        return sorted(row["state"] for row in stack.drafts(run.id))

    living, lost = [await stack.start(spec(hardship.folder)) for _ in range(2)]
    await hardship.until(lambda: states(living) == states(lost) == ["staged"])
    await hardship.kill()
    await lost.terminate()
    hardship.allow("topic")
    await living.signal("approve", {"node": "note", "by": "ann"})
    await hardship.hire()

    await living.result()

    assert states(living) == ["committed", "discarded"]
    story = await Story.of(living)
    report = await audit(story.history)
    assert report.clean, report.violations
    assert list(story.outcomes().values()) == ["failed"]
    assert report.replay.state == "passed"
    assert states(lost) == ["staged"]
    await ask_for_sweep(stack.client, SweepRequest(older_than_seconds=0))
    await hardship.until(lambda: states(lost) == ["discarded"])
