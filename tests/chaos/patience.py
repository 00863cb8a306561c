"""Calls to a server that may be dead for a moment: asked again until it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

T = TypeVar("T")

PATIENCE_SECONDS = 90
AGAIN_SECONDS = 0.2

FINAL = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)
"""Answers, and no lack of one."""


class Silence(Exception):
    """Nobody has answered for long; the last that was said instead."""


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` returns, as soon as there is somebody to ask.

    Raises:
        RPCError: the server has answered with an error.
        Silence: it has not answered for long.
    """
    instead: Exception | None = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    return await ask()
                except RPCError as error:
                    if error.status in FINAL:
                        raise
                    instead = error
                # A RuntimeError is all that the SDK raises for a refused connection.
                except (RuntimeError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
                    instead = error
                await asyncio.sleep(AGAIN_SECONDS)
    except TimeoutError:
        raise Silence(f"{instead!r}") from instead
