"""Everything on one machine: dev server, its UI, the stand-in, and all workers in this process.

The order is the point. What is started last is stopped first, so that nothing ever calls a server
that is already gone; and if any part ends by itself, the whole ends and says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from temporalio.client import Client

from forerun.activities.registration import RegistrationError
from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.connection import NoConnection, Server
from forerun.workers.devserver import DevServer, DevServerError
from forerun.workers.fleet import Fleet, WorkerStopped
from forerun.workers.roles import SPECULATIVE_SLOTS, Role
from forerun.workers.settings import Settings, SettingsError
from forerun.workers.standin_process import StandInFailed, StandInProcess
from forerun.workers.telemetry.config import Telemetry

T = TypeVar("T")

FAILURES = (
    DevServerError,
    NoConnection,
    RegistrationError,
    SettingsError,
    StandInFailed,
    WorkerStopped,
)
"""What can go wrong here, each in words for whoever started it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything goes. A port of 0 is any free one; without `db` nothing is kept."""

    cli: Path
    port: int = 0
    ui_port: int = 0
    standin_port: int = 0
    db: Path | None = None
    rules: Path | None = None
    keep_real: bool = False
    """Whether a provider with a key is called itself, and not the stand-in."""
    operations: tuple[str, ...] = ()
    speculative_slots: int = SPECULATIVE_SLOTS


class Local:
    """The running whole; get one from `Local.start`."""

    def __init__(
        self, server: DevServer, standin: StandInProcess, client: Client, fleet: Fleet
    ) -> None:
        self.address = server.address
        self.ui_url = server.ui_url
        self.standin_url = standin.url
        self.client = client
        self._parts = (server, standin, fleet)

    @staticmethod
    @asynccontextmanager
    async def start(settings: Settings, layout: Layout) -> AsyncGenerator[Local]:
        """Run it all for the length of the block; every worker polls from its first line on.

        Raises:
            Exception: one of `FAILURES`.
        """
        prepare_effects(settings)
        async with AsyncExitStack() as stack:
            standin = await stack.enter_async_context(
                StandInProcess.start(port=layout.standin_port, rules=layout.rules)
            )
            settings = settings.with_standin(standin.url, keep_real=layout.keep_real)
            parts, telemetry = assemble(settings, layout.operations), Telemetry.of(settings)
            server = await stack.enter_async_context(
                DevServer.start(
                    cli=layout.cli, port=layout.port, ui_port=layout.ui_port, db=layout.db
                )
            )
            client = await Server.at(server.address).connect(telemetry)
            slots = layout.speculative_slots
            fleet = await stack.enter_async_context(
                Fleet.start(client, parts, list(Role), speculative_slots=slots)
            )
            yield Local(server, standin, client, fleet)

    async def watched(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns.

        Raises:
            Exception: a part ended by itself meanwhile; see `ended`.
        """
        working, ended = asyncio.create_task(work), asyncio.create_task(self.ended())
        try:
            await asyncio.wait((working, ended), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ended.result()
            return working.result()
        finally:
            working.cancel()
            ended.cancel()
            await asyncio.gather(working, ended, return_exceptions=True)

    async def ended(self) -> Exception:
        """Wait until some part ends by itself, which none ever should; say how it went."""
        waiting = [asyncio.create_task(part.ended()) for part in self._parts]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for task in waiting:
                task.cancel()
