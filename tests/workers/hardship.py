"""A stack of which one role is played by child processes, to be killed and replaced.

Server and stand-in are real, and so is the victim: `forerun worker --roles ...`. The other roles
run in the test's own process, only because every Python process takes seconds to start.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client

from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.devserver import DevServer
from forerun.workers.devserver.leash import leashed
from forerun.workers.fleet import Fleet
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Role
from forerun.workers.settings import Settings
from forerun.workers.standin.serve import StandIn
from tests.harness import Stack, Story

ROOT = Path(__file__).parents[2]
OPERATIONS = "tests.workers.held_operations"
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 120

REPLY = "word " * 100
SLOWLY = {"tokens_per_second": 2}
AT_ONCE = {"tokens_per_second": 10_000}


@dataclass(slots=True, kw_only=True)
class Hardship:
    """One run on one stack; get it from `Hardship.begin`."""

    stack: Stack
    folder: Path
    handle: Any
    _victim: Role
    _env: dict[str, str]
    _worker: Process | None = None
    _hiring: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    @staticmethod
    @asynccontextmanager
    async def begin(
        cli: Path, folder: Path, victim: Role, spec: dict[str, Any]
    ) -> AsyncGenerator[Hardship]:
        """Start `spec` with a worker process for `victim` that is up. Models answer slowly."""
        async with AsyncExitStack() as exits:
            exits.enter_context(_time_limit())
            server = await exits.enter_async_context(DevServer.start(cli=cli, ui=False))
            standin = await exits.enter_async_context(StandIn.serve())
            standin.set_rules([{"match": ".", "reply": REPLY, **SLOWLY}])
            env = _env(standin, folder)
            settings = Settings.from_env(env)
            prepare_effects(settings)
            client = await Client.connect(server.address, plugins=[forerun_plugin()])
            others = [role for role in Role if role is not victim]
            parts = assemble(settings, [OPERATIONS])
            await exits.enter_async_context(Fleet.start(client, parts, others))
            stack = Stack(client=client, standin=standin, outbox=folder / "outbox.sqlite3")
