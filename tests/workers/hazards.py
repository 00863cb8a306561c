"""A workflow that does, again and again, what a query in between used to make unreplayable."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ActivityError

SOON = timedelta(seconds=10)


@activity.defn
async def note() -> str:
    """A local activity that takes a moment: queries arrive meanwhile."""
    await asyncio.sleep(0.005)
    return "noted"


@workflow.defn
class CutAtOnce:
    """Cuts calls in the very task that starts them, between local activities, while signals come."""

    def __init__(self) -> None:
        self.heard = 0

    @workflow.query
    def state(self) -> int:
        return self.heard

    @workflow.signal
    def hear(self) -> None:
        self.heard += 1

    @workflow.run
    async def run(self, rounds: int) -> None:
        for _ in range(rounds):
            await self._note()
            call = workflow.start_activity(
                "never",
                task_queue="nobody-polls-this",
                start_to_close_timeout=SOON,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
            watcher = asyncio.create_task(_over(call))
            await self._note()
            call.cancel()
            before = self.heard
            await watcher
            if self.heard > before:  # signals of another task: on replay they must not come earlier
                await workflow.sleep(0.001)

    async def _note(self) -> None:
        await workflow.execute_local_activity(note, start_to_close_timeout=SOON)


async def _over(call: workflow.ActivityHandle[object]) -> None:
    with suppress(ActivityError, asyncio.CancelledError):
        await call
