"""A worker process that is there at once: forked from one that has imported everything already.

It runs the same command line as `forerun worker`, in a process of its own, and dies with ours. Most
of what a start costs is importing; a run that waits for that is in no danger.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
# What a worker imports when it is about to run, and not before.
FORKS.set_forkserver_preload(
    [
        "forerun.workers.cli.app",
        "forerun.workers.cli.servers",
        "forerun.workers.cli.surroundings",
        "tests.lossless.tollgate",
        "tests.chaos.operations",
        __name__,
    ]
)


class Hireling:
    """One worker process; get it from `Hireling.hire`."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self._lines = asyncio.StreamReader()

    @staticmethod
    async def hire(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Hireling:
        """Start `forerun` with arguments and environment; its errors go to the end of `log`."""
        said, tell = FORKS.Pipe(duplex=False)
        order = (list(arguments), dict(environment), log, tell)
        process = FORKS.Process(target=_work, args=order, daemon=True)
        # It returns when the fork is made: the first one has all the imports before it.
        starting = asyncio.ensure_future(asyncio.to_thread(process.start))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await starting
            process.kill()
            raise
        finally:
            tell.close()
        hireling = Hireling(process)
        await hireling._listen(said)
        return hireling

    async def ready(self) -> bool:
        """Whether it came so far that the server sees it poll; before that it may wait for one."""
        async for line in self._lines:
            if line.startswith(b"ready"):
                return True
        return False

    async def ended(self) -> int | None:
        """Its exit code, once it has one."""
        await self._lines.read()  # nobody else holds the other end
        await asyncio.to_thread(self._process.join)
        return self._process.exitcode

    def kill(self) -> None:
        """As by `kill -9`."""
        self._process.kill()

    async def _listen(self, said: Connection) -> None:
        pipe = os.fdopen(os.dup(said.fileno()), "rb")
        said.close()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._lines), pipe
        )


def _work(arguments: list[str], environment: dict[str, str], log: Path, tell: Connection) -> None:
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(tell.fileno(), 1)
    tell.close()
    with log.open("ab") as errors:
        os.dup2(errors.fileno(), 2)
    sys.argv = ["forerun", *arguments]
    from forerun.workers.cli import main

    main()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)
