"""The workers of one process: one per role, started together, stopped together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from temporalio.client import Client
from temporalio.service import RPCError

from forerun.workers.pollers import ACTIVITIES, WORKFLOWS, Polled, until_polled
from forerun.workers.roles import SPECULATIVE_SLOTS, Parts, Role, worker_of
from forerun.workers.sweeping import sweep_regularly

READY_SECONDS = 30.0


class WorkerStopped(Exception):
    """A worker cannot start, or ended although nobody asked it to: one line."""


class Fleet:
    """Running workers; get one from `Fleet.start`."""

    def __init__(self, running: Mapping[Role, asyncio.Task[None]]) -> None:
        self._running = running

    @staticmethod
    @asynccontextmanager
    async def start(
        client: Client,
        parts: Parts,
        roles: Sequence[Role],
        *,
        speculative_slots: int = SPECULATIVE_SLOTS,
    ) -> AsyncGenerator[Fleet]:
        """Run workers for the length of the block; the server sends them tasks from its first line.

        At the end of the block calls in flight have some seconds to end by themselves.

        Raises:
            WorkerStopped: the server refuses a worker, or never sees it poll.
        """
        workers = [
            worker_of(role, client, parts, speculative_slots=speculative_slots) for role in roles
        ]
        running = {
            role: asyncio.create_task(worker.run(), name=f"worker {role}")
            for role, worker in zip(roles, workers, strict=True)
        }
        fleet = Fleet(running)
        try:
            await fleet._until_ready(client)
            async with _sweeping(client, roles):
                yield fleet
        finally:
            await asyncio.gather(*(worker.shutdown() for worker in workers))
            await asyncio.gather(*running.values(), return_exceptions=True)
            await parts.equivalence_checks.aclose()
            await parts.model_calls.aclose()

    async def ended(self) -> WorkerStopped:
        """Wait until a worker ends by itself, which none ever should; say how it went."""
        await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
        role, task = next((role, task) for role, task in self._running.items() if task.done())
        return WorkerStopped(
            f"the worker for {role} ended: {task.exception() or 'no reason given'}"
        )

    async def _until_ready(self, client: Client) -> None:
        ready = asyncio.create_task(until_polled(client, _polled(self._running)))
        ended = asyncio.create_task(self.ended())
        try:
            await asyncio.wait(
                (ready, ended), timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                raise ended.result()
            if not ready.done():
                raise WorkerStopped(
                    f"the server did not see all workers poll within {READY_SECONDS:.0f} s: "
                    "is it overloaded?"
                )
            ready.result()
        except RPCError as error:
            raise WorkerStopped(f"the server refuses a worker: {error.message}") from error
        finally:
            ready.cancel()
            ended.cancel()


@asynccontextmanager
async def _sweeping(client: Client, roles: Sequence[Role]) -> AsyncGenerator[None]:
    sweeping = asyncio.create_task(sweep_regularly(client)) if Role.COMMIT in roles else None
    try:
        yield
    finally:
        if sweeping is not None:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)


def _polled(roles: Mapping[Role, object]) -> list[Polled]:
    workflows = [(role.queue, WORKFLOWS) for role in roles if role is Role.WORKFLOW]
    return workflows + [(role.queue, ACTIVITIES) for role in roles]
