"""Heartbeats in the background, for every activity that waits for somebody else.

A heartbeat does two things: its response is how a cancel request arrives where the server cannot
push it, and its details are the only account of the money spent if this worker dies now. So it
comes from a timer and not from the work: a stalled stream must still hear that it was cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from temporalio import activity

EVERY_SECONDS = 0.1
"""More often than the worker lets through (250 ms), so that what it sends is fresh."""


@asynccontextmanager
async def heartbeating(details: Callable[[], Mapping[str, Any]]) -> AsyncGenerator[None]:
    """Heartbeat `details()` at once, then regularly, and once more if the body fails.

    The details are JSON: the next attempt and the workflow find them without their types.
    """
    activity.heartbeat(details())
    beat = asyncio.create_task(_beat(details))
    try:
        yield
    except BaseException:
        # Temporal hands the latest details to the next attempt together with the failure.
        activity.heartbeat(details())
        raise
    finally:
        beat.cancel()
        # A cancel request that arrives during this await comes after the body: it lost the race.
        with suppress(asyncio.CancelledError):
            await beat


def cut_requested() -> bool:
    """Whether this activity was cancelled because somebody asked: a shutdown cancels too."""
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested


async def _beat(details: Callable[[], Mapping[str, Any]]) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        activity.heartbeat(details())
