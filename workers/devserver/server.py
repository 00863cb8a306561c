"""The Temporal dev server as a child process, with the settings forerun relies on.

`temporal server start-dev` as it comes reads its queues 20 times a second (every task waits some
50 ms), fires no timer in under a second and cannot push a cancellation to a worker. The settings
below change all three, so they are not optional.
"""

from __future__ import annotations

import asyncio
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from forerun.activities.namespace import SEARCH_ATTRIBUTES
from forerun.workers.devserver.child_output import last_output
from forerun.workers.devserver.failure import DevServerError
from forerun.workers.devserver.leash import leashed
from forerun.workers.devserver.ports import HOST, check_port, free_port
from forerun.workers.devserver.readiness import TYPE_NAMES, until_usable

READY_SECONDS = 30.0
STOP_SECONDS = 5.0
NO_NEWS = "--ui-disable-news-fetch"  # the UI asks nobody outside for news

DYNAMIC_CONFIG = (
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    'history.timerProcessorMaxTimeShift="10ms"',
    "frontend.WorkerCommandsEnabled=true",
    "system.enableCancelActivityWorkerCommand=true",
)


class DevServer:
    """A running dev server; get one from `DevServer.start`.

    `address` is "127.0.0.1:port", `ui_url` the page of the UI or None without one.
    """

    def __init__(
        self, *, address: str, ui_url: str | None, process: Process, log: IO[bytes]
    ) -> None:
        self.address = address
        self.ui_url = ui_url
        self._process = process
        self._log = log

    @staticmethod
    @asynccontextmanager
    async def start(
        *,
        cli: Path,
        port: int | None = None,
        ui_port: int | None = None,
        db: Path | None = None,
        ui: bool = True,
    ) -> AsyncGenerator[DevServer]:
        """Run a dev server for the length of the block, usable from its first line on.

        A port of None or 0 means any free one; without `db` nothing outlives the server. Start it
        from a thread that outlives it (see `leash`). The server shares our process group.

        Raises:
            DevServerError: a port is taken, or the server ended or never became usable.
        """
        frontend = await _port(port, flag="--port")
        web = await _port(ui_port, flag="--ui-port") if ui else None
        command = _command(cli, frontend, db) + (await _ui_options(cli, web))
        with tempfile.TemporaryFile() as log:
            process = await asyncio.create_subprocess_exec(
                *leashed(command), stdin=DEVNULL, stdout=log, stderr=log
            )
            server = DevServer(
                address=f"{HOST}:{frontend}",
                ui_url=f"http://{HOST}:{web}" if web else None,
                process=process,
                log=log,
            )
            try:
                await server._until_ready()
                yield server
            finally:
                await server._stop()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    async def ended(self) -> DevServerError:
        """Wait until the server ends by itself, which it never should; say how it went."""
        code = await self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return DevServerError(f"the Temporal dev server {how}; {self._last_words()}")

    async def _until_ready(self) -> None:
        usable = asyncio.create_task(until_usable(self.address))
        ended = asyncio.create_task(self.ended())
        try:
            await asyncio.wait(
                (usable, ended), timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if usable.done():
                return usable.result()
            if ended.done():
                raise ended.result()
            raise DevServerError(
                f"the Temporal dev server at {self.address} was not usable within "
                f"{READY_SECONDS:.0f} s; {self._last_words()}"
            )
        finally:
            usable.cancel()
            ended.cancel()

    async def _stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _last_words(self) -> str:
        return f"its last output:\n{last_output(self._log) or '(none)'}"


async def _port(chosen: int | None, *, flag: str) -> int:
    if not chosen:
        return free_port()
    await check_port(chosen, flag=flag)
    return chosen


def _command(cli: Path, port: int, db: Path | None) -> list[str]:
    command = [str(cli.absolute()), "server", "start-dev", "--ip", HOST, "--port", str(port)]
    command += ["--log-level", "error"]
    # A client profile of the user's must not decide how our server starts.
    command += ["--disable-config-env", "--disable-config-file"]
    command += ["--db-filename", str(db)] if db else []
    for setting in DYNAMIC_CONFIG:
        command += ["--dynamic-config-value", setting]
    for name, kind in SEARCH_ATTRIBUTES.items():
        command += ["--search-attribute", f"{name}={TYPE_NAMES[kind]}"]
    return command


async def _ui_options(cli: Path, port: int | None) -> list[str]:
    if port is None:
        return ["--headless"]
    options = ["--ui-port", str(port)]
    if NO_NEWS in await _help(cli):  # not every CLI with a server that is new enough has it
        options.append(NO_NEWS)
    return options


async def _help(cli: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        cli, "server", "start-dev", "--help", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
    )
    output, _ = await process.communicate()
    return output.decode(errors="replace")
