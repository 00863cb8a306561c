"""The stand-in model server as a child process, so that a busy event loop here never delays it.

It runs `forerun standin`, tells its address by the first line it prints, and is on a leash: it dies
with us, whatever ends us.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from forerun.workers.devserver.leash import leashed
from forerun.workers.devserver.ports import check_port

READY_SECONDS = 30.0
READY = "ready"
URL = "standin="


class StandInFailed(Exception):
    """The stand-in cannot start, or ended although nobody asked it to: one line."""


class StandInProcess:
    """A running stand-in; get one from `StandInProcess.start`. `url` is its bare address."""

    def __init__(self, url: str, process: Process) -> None:
        self.url = url
        self._process = process

    @staticmethod
    @asynccontextmanager
    async def start(*, port: int = 0, rules: Path | None = None) -> AsyncGenerator[StandInProcess]:
        """Run a stand-in for the length of the block; port 0 takes a free one.

        Raises:
            DevServerError: the port is taken.
            StandInFailed: it does not start, because of the rules for instance.
        """
        if port:
            await check_port(port, flag="--standin-port")
        process = await asyncio.create_subprocess_exec(
            *leashed(_command(port, rules)), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
        try:
            yield StandInProcess(await _url(process), process)
        finally:
            with suppress(ProcessLookupError):
                process.kill()  # nothing it holds outlives it
            await process.wait()

    async def ended(self) -> StandInFailed:
        """Wait until it ends by itself, which it never should; say how it went."""
        return await _failure(self._process)


def ready_line(url: str) -> str:
    """What `forerun standin` prints first, once it listens."""
    return f"{READY}  {URL}{url}"


def _command(port: int, rules: Path | None) -> list[str]:
    # -P: a folder named forerun where the user happens to be must not be taken for us.
    python = [sys.executable, "-P", "-m", "forerun.workers.cli"]
    command = [*python, "standin", "--port", str(port)]
    return [*command, "--rules", str(rules.absolute())] if rules else command


async def _url(process: Process) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            line = (await process.stdout.readline()).decode(errors="replace").strip()
    except TimeoutError as error:
        raise StandInFailed(f"the stand-in did not start within {READY_SECONDS:.0f} s") from error
    if not line.startswith(READY):
        raise await _failure(process)
    return line.partition(URL)[2].split()[0]


async def _failure(process: Process) -> StandInFailed:
    assert process.stderr is not None
    said = (await process.stderr.read()).decode(errors="replace").strip()
    code = await process.wait()
    return StandInFailed(said.removeprefix("forerun: ") or f"the stand-in ended with code {code}")
