"""The process of a command: its signals, its errors in one line, and an exit code that is true.

Temporal's client may crash the interpreter on its way out, after all work is done (sdk-python#300),
and the exit code would then lie. So a command flushes and leaves by `os._exit`, which is safe only
because every child process has been waited for, or dies with us by its leash.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from forerun.workers.cli.printable import printable

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class CommandError(Exception):
    """What went wrong, in words for whoever typed the command; 2 is for bad input, 1 the rest."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def run(main: Coroutine[Any, Any, int], expected: tuple[type[Exception], ...] = ()) -> int:
    """Run `main` to its end and return its exit code; 128 + n if signal n ended it.

    The first SIGINT or SIGTERM cancels `main`, which cleans up; a second one leaves at once.

    Raises:
        CommandError: one of the `expected` errors was raised; its message is theirs, and one that
            is a ValueError means bad input.
    """
    try:
        return asyncio.run(_until_signal(main))
    except expected as error:
        raise CommandError(str(error), code=2 if isinstance(error, ValueError) else 1) from error


def leave(code: int) -> NoReturn:
    """End the process now, with this code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, RuntimeError):  # its reader is gone, or a signal came in mid-write
            code = code or 1
    os._exit(code)


def complain(message: str) -> None:
    """Say what is wrong, on stderr."""
    print(printable(f"forerun: {message}"), file=sys.stderr, flush=True)


async def _until_signal(main: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(main)
    received: list[int] = []
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, _on_signal(number, received, task))
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        return 128 + received[0]


def _on_signal(number: int, received: list[int], task: asyncio.Future[int]) -> Callable[[], None]:
    def handle() -> None:
        if received:
            leave(128 + number)
        received.append(number)
        task.cancel()

    return handle
