"""Runs hardships, many at once in a house, and says afterwards what is wrong."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowHistory

from forerun.activities.intent import SweepRequest
from forerun.workers.sweeping import SWEEP_ID, ask_for_sweep
from tests.chaos.checks import (
    Column,
    Ended,
    Problem,
    Row,
    audited,
    row_problems,
    stage_problems,
)
from tests.chaos.faults import Deed
from tests.chaos.generator import Hardship
from tests.chaos.house import House
from tests.chaos.injector import Injector
from tests.chaos.outcomes import outcome_problems
from tests.chaos.patience import patiently
from tests.chaos.people import People
from tests.chaos.watching import Watched

QUIET_SECONDS = 120
"""More than any timeout or outage: a run of which nothing is heard for so long hangs."""

SWEEPS = 2
"""The first may have begun before, and have been asked for less."""

ALL_STAGES = SweepRequest(older_than_seconds=0)
AT_ONCE = 24


@dataclass(slots=True, kw_only=True)
class Trial:
    """What became of one hardship.

    `injected` counts its own faults by kind, `met` names the kinds that befell its run, whoever
    injected them.
    """

    hardship: Hardship
    ended: Ended
    problems: list[Problem] = field(default_factory=list[Problem])
    injected: Counter[str] = field(default_factory=Counter[str])
    met: set[str] = field(default_factory=set[str])


class Trials:
    """The trials of one house."""

    def __init__(self, house: House, *, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._house = house
        self._quiet_seconds = quiet_seconds
        self._in_flight: list[Trial] = []

    async def run(self, hardships: Sequence[Hardship], *, at_once: int = AT_ONCE) -> list[Trial]:
        """Endure all of them, `at_once` at a time, and check them when the last is over."""
        self._house.standin.set_rules([rule for one in hardships for rule in one.rules])
        room = asyncio.Semaphore(at_once)

        async def one(hardship: Hardship) -> Trial:
            async with room:
                return await self._endure(hardship)

        trials = await asyncio.gather(*(one(hardship) for hardship in hardships))
        await self.check_sweep(trials)
        for trial in trials:
            trial.ended.rows = self._committed(trial.ended.id)
            trial.problems += row_problems(trial.ended)
            trial.problems += await outcome_problems(trial.ended)
        return trials

    async def _endure(self, hardship: Hardship) -> Trial:
        id = f"chaos-{hardship.seed}-{uuid.uuid4().hex[:8]}"
        trial = Trial(hardship=hardship, ended=Ended(id=id, hardship=hardship))
        handle = await self._start(id, hardship.case.spec)
        watched = Watched(self._house, id, handle.first_execution_run_id or "", hardship.tag)
        people = People(watched, hardship)
        injector = Injector(self._house, watched, people, lambda deed: self._hit(deed, trial))
        self._in_flight.append(trial)
        try:
            await self._live(hardship, watched, people, injector)
        except TimeoutError:
            trial.problems.append((Column.HUNG, f"after {len(watched.events)} events"))
            await patiently(lambda: watched.handle.terminate(reason="it hangs"))
        finally:
            self._in_flight.remove(trial)
        trial.ended.staged = [row for row in self._staged() if row["workflow_id"] == id]
        trial.ended.histories = [await self._history(id, run_id) for run_id in watched.run_ids]
        for history in trial.ended.histories:
            trial.problems += await audited(history)
        trial.problems += stage_problems(trial.ended)
        self._count(trial, people, injector)
        return trial

    async def _live(
        self, hardship: Hardship, watched: Watched, people: People, injector: Injector
    ) -> None:
        """Until the run is over, and no fault under way may start it anew.

        Raises:
            TimeoutError: it hangs.
        """
        tasks = [
            asyncio.create_task(work)
            for work in (
                watched.follow(),
                watched.hangs(self._quiet_seconds),
                people.attend(),
                injector.inject(hardship.faults),
            )
        ]
        over = asyncio.create_task(_over(watched, injector))
        try:
            waiting = {over, *tasks}
            while not over.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in (over, *tasks):
                task.cancel()
            await asyncio.gather(over, *tasks, return_exceptions=True)

    async def _start(self, id: str, spec: dict[str, Any]) -> WorkflowHandle[Any, Any]:
        client: Any = self._house.client
        return await patiently(
            lambda: client.start_workflow("AgentDag", spec, id=id, task_queue="forerun")
        )

    async def _history(self, id: str, run_id: str) -> WorkflowHistory:
        handle: Any = self._house.client.get_workflow_handle(id, run_id=run_id)
        return await patiently(handle.fetch_history)

    def _hit(self, deed: Deed, trial: Trial) -> None:
        for one in self._in_flight if deed.shared else (trial,):
            one.met.add(deed.value)
            one.ended.killed |= deed.shared

    def _count(self, trial: Trial, people: People, injector: Injector) -> None:
        trial.injected.update({deed.value: n for deed, n in injector.injected.items()})
        trial.injected.update(people.said)
        asked = [r["user"] for r in self._house.standin.requests(trial.hardship.tag)]
        for refusal in trial.hardship.refusals:
            requests = sum(bool(re.search(refusal.match(trial.hardship.tag), a)) for a in asked)
            trial.injected[f"provider {refusal.kind}"] += min(refusal.times, requests)
        trial.injected = +trial.injected
        trial.met |= set(trial.injected)

    def _committed(self, id: str) -> list[dict[str, Any]]:
        drafts = self._house.rows("drafts", id)
        committed = [row for row in drafts if row["state"] == "committed"]
        return [*self._house.rows("outbox", id), *committed]

    async def check_sweep(self, trials: Sequence[Trial]) -> None:
        """After a sweep nobody leaves anything staged."""
        for _ in range(SWEEPS):
            if self._staged():
                await self._swept()
        left = {row["workflow_id"] for row in self._staged()}
        for trial in trials:
            if trial.ended.id in left:
                trial.problems.append((Column.ORPHANED, "staged still after a sweep"))

    async def _swept(self) -> None:
        await patiently(lambda: ask_for_sweep(self._house.client, ALL_STAGES))
        sweep: Any = self._house.client.get_activity_handle(SWEEP_ID)
        await patiently(sweep.result)

    def _staged(self) -> list[Row]:
        return [row for row in self._house.rows("drafts") if row["state"] == "staged"]


async def _over(watched: Watched, injector: Injector) -> None:
    while True:
        await watched.until(lambda: watched.closed)
        if not injector.busy:
            return
        await asyncio.sleep(0.05)
