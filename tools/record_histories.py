"""Records the histories that `tests/replay` replays: `python -m tools.record_histories [NAME ...]`.

Every scenario, or the ones named, is run on a dev server of its own with the stand-in and all
workers, and must show what it is about. Record anew only what was changed on purpose: a history
that no longer replays is a run of somebody's that would be stuck.

A file holds one event per line. What is of this machine alone is left out: the identity of workers
is fixed, and the stack traces of failures, which no replay reads, are emptied.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from forerun import SpeculationPlugin
from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.devserver import DevServer, find_cli
from forerun.workers.fleet import Fleet
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Role
from forerun.workers.settings import Settings
from forerun.workers.standin.serve import StandIn
from tests.harness import Stack, Story
from tests.replay.scenario import HISTORIES, Scenario
from tests.replay.scenarios import SCENARIOS
from tests.workflows.own_workflows import OWN

IDENTITY = "forerun"
OWN_QUEUE = "own"
PATIENCE_SECONDS = 60


async def main(names: list[str]) -> int:
    """Record the scenarios of these names, all if there are none; 1 if one went otherwise."""
    unknown = set(names) - {scenario.name for scenario in SCENARIOS}
    if unknown:
        print(f"no scenario is called {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    HISTORIES.mkdir(exist_ok=True)
    logging.getLogger("temporalio.activity").setLevel(logging.CRITICAL)  # some are meant to fail
    problems = 0
    async with stack() as running:
        for scenario in SCENARIOS:
            if not names or scenario.name in names:
                problem = await record(running, scenario)
                problems += problem is not None
                print(f"{scenario.name}: {problem or scenario.file.stat().st_size}", flush=True)
    return 1 if problems else 0


async def record(running: Stack, scenario: Scenario) -> str | None:
    """Run a scenario and keep its history; what is wrong with it otherwise."""
    running.standin.set_rules(scenario.rules)
    handle: Any = await running.client.start_workflow(
        scenario.workflow, scenario.spec, id=scenario.name, task_queue=_queue(scenario)
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        await scenario.people(handle)
        failed = await _failure(handle)
    story = await Story.of(handle)
    if failed != scenario.failed:
        return f"it ended with {failed}, not {scenario.failed}"
    if story.records:
        story.check()
    if not scenario.shows(story):
        return "it does not show what it is about: record it again on an idle machine"
    scenario.file.write_text(_text(story.history))
    return None


@asynccontextmanager
async def stack() -> AsyncGenerator[Stack]:
    """Servers and all workers in this process."""
    cli = await asyncio.to_thread(find_cli, os.environ, sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        outbox = Path(folder) / "outbox.sqlite3"
        env = {
            "FORERUN_OUTBOX_URL": f"sqlite:///{outbox}",
            "FORERUN_DRAFTS_URL": f"sqlite:///{folder}/drafts.sqlite3",
            "FORERUN_EMBEDDINGS": "openai:text-embedding-3-small",
        }
        settings = Settings.from_env(env)
        async with DevServer.start(cli=cli, ui=False) as server, StandIn.serve() as standin:
            settings = settings.with_standin(standin.url, keep_real=False)
            prepare_effects(settings)
            client = await Client.connect(
                server.address, plugins=[forerun_plugin()], identity=IDENTITY
            )
            theirs = await Client.connect(
                server.address, plugins=[SpeculationPlugin(env={})], identity=IDENTITY
            )
            async with (
                Fleet.start(client, assemble(settings), list(Role)),
                Worker(theirs, task_queue=OWN_QUEUE, workflows=OWN),
            ):
                yield Stack(client=client, standin=standin, outbox=outbox)


def _queue(scenario: Scenario) -> str:
    return "forerun" if scenario.workflow == "AgentDag" else OWN_QUEUE


async def _failure(handle: Any) -> str | None:
    try:
        await handle.result()
    except WorkflowFailureError as error:
        cause = error.cause
        return cause.type if isinstance(cause, ApplicationError) else type(cause).__name__
    return None


def _text(history: WorkflowHistory) -> str:
    events = json.loads(history.to_json(), object_hook=_without_stack_trace)["events"]
    lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in events)
    return f'{{"events":[\n{lines}\n]}}\n'


def _without_stack_trace(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "stackTrace"}


if __name__ == "__main__":
    code = asyncio.run(main(sys.argv[1:]))
    sys.stdout.flush()
    os._exit(code)  # the Temporal client may crash the interpreter on its way out
