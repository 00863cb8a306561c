"""Preparing effects on a guess, throwing away what lost, and finding what nobody threw away.

Stages belong to the commit role, because only it may reach what they are made in. Nothing here asks
for an approval: nobody sees a stage, and the commit still has to pass its gate.

The surprise: a sweep may always throw a stage away, whatever it knows. Its commit does not need it.
So it asks the server whether anybody will come back to a stage, and does not have to be certain.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from forerun.activities.call_result import Completed, Cut
from forerun.activities.effects.evidence import first_run_id, stages_in_use
from forerun.activities.failures import details_of
from forerun.activities.heartbeat import cut_requested, heartbeating
from forerun.activities.intent import (
    DISCARD,
    STAGE,
    SWEEP,
    DiscardRequest,
    StageRequest,
    SweepRequest,
    Swept,
)
from forerun.activities.registry import Registry
from forerun.activities.stageable import Stage
from forerun.activities.tool_call import billed_failure, brief, cut_bill, declared_bill
from forerun.speculation.canonical import digest

STAGE_REFUSED = "StageRefused"


class Stages:
    """The activities around the commits of `registry`; `client` says which runs there are."""

    def __init__(self, registry: Registry, client: Client) -> None:
        self._registry = registry
        self._client = client

    @activity.defn(name=STAGE)
    async def stage(self, request: StageRequest) -> Completed | Cut:
        """Prepare an effect; the output is the digest that discards it. One that is cut may stand.

        Raises:
            ApplicationError: no stageable effect or invalid arguments (neither is retried), an
                operation that this worker lacks, or whatever its staging raised, with the bill.
        """
        effect, staging = self._registry.stageable(request.operation, request.version)
        arguments = effect.parse(request.arguments)
        if request.digest != digest(request.arguments):
            raise _refusal(request.intent, "its arguments have another digest than it names")
        attempts = activity.info().attempt
        bill = declared_bill(effect.card, attempts)
        began = time.monotonic()
        try:
            async with heartbeating(lambda: details_of(bill)):
                stage = await self._stage(request.intent, request.digest)
                async with asyncio.timeout(effect.card.timeout_seconds):
                    await staging.stage(arguments, stage)
        except asyncio.CancelledError:
            if not cut_requested():
                raise
            return Cut(bill=cut_bill(effect.card, attempts), seconds=time.monotonic() - began)
        except Exception as error:  # noqa: BLE001 - raised anew, with its bill
            raise billed_failure(effect.card, bill, error) from brief(error)
        return Completed(output=stage.digest, bill=bill, seconds=time.monotonic() - began)

    @activity.defn(name=DISCARD)
    async def discard(self, request: DiscardRequest) -> None:
        """Throw a stage away, for good: also one that a lost worker has yet to make.

        Raises:
            ApplicationError: no stageable effect (not retried), or one that this worker lacks.
        """
        effect, staging = self._registry.stageable(request.operation, request.version)
        async with heartbeating(dict), asyncio.timeout(effect.card.timeout_seconds):
            await staging.discard(await self._stage(request.intent, request.digest))

    @activity.defn(name=SWEEP)
    async def sweep(self, request: SweepRequest) -> Swept:
        """Throw away the stages of runs that are closed, or that do not know of them.

        Needs no run of its own. Safe at any time, and as often as one likes.
        """
        before = datetime.now(UTC) - timedelta(seconds=request.older_than_seconds)
        found = {True: 0, False: 0}
        async with heartbeating(lambda: {"kept": found[True], "discarded": found[False]}):
            for staging in self._registry.stagings:
                async for stage, in_use in self._judged(await staging.staged(before)):
                    if not in_use:
                        await staging.discard(stage)
                    found[in_use] += 1
        return Swept(discarded=found[False], kept=found[True])

    async def _judged(self, stages: Iterable[Stage]) -> AsyncGenerator[tuple[Stage, bool]]:
        """Each stage, and whether its run may come back to it; each run is asked for once."""
        for run, mine in groupby(sorted(stages, key=_run), key=_run):
            in_use = await stages_in_use(self._client, *run)
            for stage in mine:
                yield stage, (stage.intent, stage.digest) in in_use

    async def _stage(self, intent: str, digest: str) -> Stage:
        """The stage of that intent, of the run that asks: which one that is, the server says."""
        info = activity.info()
        if info.workflow_id is None or info.workflow_run_id is None:
            raise _refusal(intent, "only a run has stages")
        first = await first_run_id(self._client, info.workflow_id, info.workflow_run_id)
        return Stage(workflow_id=info.workflow_id, first_run_id=first, intent=intent, digest=digest)


def _run(stage: Stage) -> tuple[str, str]:
    return stage.workflow_id, stage.first_run_id


def _refusal(intent: str, problem: str) -> ApplicationError:
    message = f"stage of {intent!r:.200} refused: {problem}"
    return ApplicationError(message, type=STAGE_REFUSED, non_retryable=True)
