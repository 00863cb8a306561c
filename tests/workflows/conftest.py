"""A whole stack for the tests of workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Replayer

from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.fleet import Fleet
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Role
from forerun.workers.settings import Settings
from forerun.workers.standin.serve import StandIn
from forerun.workflows.agent_dag import AgentDag
from tests.harness import Stack, Story


@pytest.fixture(scope="session")
async def whole_stack(
    temporal_client: Client, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """All roles in this process, on the session's dev server."""
    outbox: Path = tmp_path_factory.mktemp("outbox") / "outbox.sqlite3"
    async with StandIn.serve() as standin:
        settings = Settings.from_env(
            {
                "OPENAI_API_KEY": "unused",
                "OPENAI_BASE_URL": standin.openai_base_url,
                "ANTHROPIC_API_KEY": "unused",
                "ANTHROPIC_BASE_URL": standin.anthropic_base_url,
                "FORERUN_OUTBOX_URL": f"sqlite:///{outbox}",
                "FORERUN_DRAFTS_URL": f"sqlite:///{outbox.with_name('drafts.sqlite3')}",
                "FORERUN_EMBEDDINGS": "openai:text-embedding-3-small",
                "FORERUN_JUDGE": "openai:sim-small",
            }
        )
        prepare_effects(settings)
        async with Fleet.start(
            temporal_client, assemble(settings, ["tests.operations"]), list(Role)
        ):
            yield Stack(client=temporal_client, standin=standin, outbox=outbox)


@pytest.fixture
def stack(whole_stack: Stack) -> Stack:
    """The stack with an empty rule list and request log."""
    whole_stack.standin.set_rules([])
    whole_stack.standin.clear_requests()
    return whole_stack


@pytest.fixture
async def runs(stack: Stack) -> AsyncIterator[list[Any]]:
    """Runs whose histories are to replay and to keep every invariant, whatever the test was about."""
    handles: list[Any] = []
    yield handles
    for handle in handles:
        (await Story.of(handle)).check()
        await _replayed(handle)


async def _replayed(handle: Any) -> None:
    """The run's history replays with the code of today."""
    history = await handle.fetch_history()
    await Replayer(workflows=[AgentDag], plugins=[forerun_plugin()]).replay_workflow(history)
