"""Histories of every kind of run, recorded from the real thing, replay with the code of today.

No server is involved. A history that no longer replays stands for somebody's run that would be
stuck: where that is meant, `python -m tools.record_histories NAME` records it anew.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from temporalio.worker import Replayer

from forerun import __version__
from forerun.workers.plugin import forerun_plugin
from forerun.workflows.agent_dag import AgentDag
from tests.forging import Forged
from tests.harness import Story
from tests.replay.scenario import HISTORIES, Scenario
from tests.replay.scenarios import SCENARIOS
from tests.replay.tampering import TAMPERINGS
from tests.workflows.own_workflows import OWN

MAX_BYTES = 200_000


@pytest.fixture(scope="module")
def replayer() -> Replayer:
    """What a worker would make of a history."""
    return Replayer(
        workflows=[AgentDag, *OWN], plugins=[forerun_plugin()], build_id=f"forerun-{__version__}"
    )


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_it_replays(replayer: Replayer, scenario: Scenario) -> None:
    """The code of today issues the very commands that are in the history, in their order."""
    await replayer.replay_workflow(scenario.history())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_it_shows_what_it_is_about(scenario: Scenario) -> None:
    """A cut is in the history of a cut; the records of all of them are sound; none is large."""
    story = Story(scenario.history())

    assert scenario.shows(story)
    if story.records:
        story.check()
    assert scenario.file.stat().st_size < MAX_BYTES


def test_every_file_has_a_scenario() -> None:
    """And the other way round: what nobody can record anew would go stale."""
    assert sorted(file.stem for file in HISTORIES.iterdir()) == sorted(s.name for s in SCENARIOS)


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
async def test_a_history_that_was_tampered_with_does_not_replay(
    replayer: Replayer, tamper: Callable[[Forged], None]
) -> None:
    """So the replay test can fail: it does for every kind of command, and for their order."""
    forged = Forged("hit")
    tamper(forged)

    replayed = await replayer.replay_workflow(forged.history(), raise_on_replay_failure=False)

    assert replayed.replay_failure is not None
    assert "TMPRL1100" in str(replayed.replay_failure)
