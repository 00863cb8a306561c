"""A stack of which one role is played by child processes, to be killed and replaced.

Server and stand-in are real, and so is the victim: `forerun worker --roles ...`. The other roles
run in the test's own process, only because every process that imports vendor SDKs takes seconds.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.devserver import DevServer
from forerun.workers.devserver.leash import leashed
from forerun.workers.fleet import Fleet
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Role
from forerun.workers.settings import Settings
from forerun.workers.standin.serve import StandIn
from tests.harness import Stack
from tests.workers.commands import INHERITED

ROOT = Path(__file__).parents[2]
OPERATIONS = "tests.workers.held_operations"
LOOK_SECONDS = 0.1


class Hardship:
    """A stack with a victim; get one from `Hardship.begin`."""

    def __init__(self, stack: Stack, victim: Role, folder: Path, env: dict[str, str]) -> None:
        self.stack = stack
        self.folder = folder
        self._victim = victim
        self._env = env
        self._worker: Process | None = None

    @staticmethod
    @asynccontextmanager
    async def begin(cli: Path, folder: Path, victim: Role) -> AsyncGenerator[Hardship]:
        """Run it all for the length of the block; there is no worker for `victim` yet."""
        async with AsyncExitStack() as exits:
            server = await exits.enter_async_context(DevServer.start(cli=cli, ui=False))
            standin = await exits.enter_async_context(StandIn.serve())
            env = _environment(standin, folder)
            settings = Settings.from_env(env)
            prepare_effects(settings)
            client = await Client.connect(server.address, plugins=[forerun_plugin()])
            others = [role for role in Role if role is not victim]
            await exits.enter_async_context(
                Fleet.start(client, assemble(settings, [OPERATIONS]), others)
            )
            stack = Stack(client=client, standin=standin, outbox=folder / "outbox.sqlite3")
            inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
            env = {**inherited, **env, "TEMPORAL_ADDRESS": server.address}
            hardship = Hardship(stack, victim, folder, env)
            exits.push_async_callback(hardship.kill)
            yield hardship

    async def hire(self) -> None:
        """Start a worker process for the victim's role; return when the server sees it poll."""
        command = [sys.executable, "-m", "forerun.workers.cli", "worker"]
        command += ["--roles", self._victim, "--operations", OPERATIONS]
        self._worker = await asyncio.create_subprocess_exec(
            *leashed(command), cwd=ROOT, env=self._env, stdout=PIPE
        )
        assert self._worker.stdout is not None
        assert (await self._worker.stdout.readline()).startswith(b"ready")

    async def kill(self) -> None:
        """End it as a machine does that loses power."""
        if self._worker is not None and self._worker.returncode is None:
            self._worker.kill()
            await self._worker.communicate()

    def allow(self, *names: str) -> None:
        """Let operations go on that wait for files of these names."""
        for name in names:
            (self.folder / name).touch()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that no event tells."""
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)

    def streaming(self, *prompts: str) -> bool:
        """Whether answers to prompts that begin so are under way: some tokens are delivered."""
        begun = [
            request["user"]
            for request in self.stack.standin.requests()
            if request["outcome"] == "running" and request["delivered_tokens"]
        ]
        return all(any(user.startswith(prompt) for user in begun) for prompt in prompts)


def _environment(standin: StandIn, folder: Path) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": "unused",
        "OPENAI_BASE_URL": standin.openai_base_url,
        "ANTHROPIC_API_KEY": "unused",
        "ANTHROPIC_BASE_URL": standin.anthropic_base_url,
        "FORERUN_OUTBOX_URL": f"sqlite:///{folder}/outbox.sqlite3",
        "FORERUN_DRAFTS_URL": f"sqlite:///{folder}/drafts.sqlite3",
    }
