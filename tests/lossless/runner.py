"""Runs cases, each twice, with speculation and without, and says what is wrong with the two."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError

from forerun.workflows.speculation import NODES_FAILED
from tests.harness import Story
from tests.lossless.case import Case
from tests.lossless.checks import Run, differences, violations
from tests.lossless.house import House
from tests.lossless.people import attend
from tests.lossless.tally import tally

SECONDS_PER_RUN = 60
PAIRS_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one pair showed: nothing is wrong if `problems` is empty."""

    seed: int
    problems: list[str]
    runs: tuple[Run, ...] = ()

    @property
    def tally(self) -> Counter[tuple[str, str]]:
        """What happened in the run with speculation."""
        return tally(self.runs[0]) if self.runs else Counter()


async def prove(
    house: House,
    cases: Iterable[Case],
    *,
    pairs: int = PAIRS_AT_ONCE,
    report: Callable[[Verdict], None] = lambda _: None,
) -> list[Verdict]:
    """Try all cases, `pairs` at a time; `report` hears of each as soon as it is over."""
    room = asyncio.Semaphore(pairs)

    async def one(case: Case) -> Verdict:
        async with room:
            verdict = await try_case(house, case)
        report(verdict)
        return verdict

    return await asyncio.gather(*(one(case) for case in cases))


async def try_case(house: House, case: Case) -> Verdict:
    """Run a case both ways at once and compare."""
    tag = uuid.uuid4().hex[:8]
    try:
        runs = await asyncio.gather(
            _run(house, case, f"{case.seed}-{tag}-ahead", control=False),
            _run(house, case, f"{case.seed}-{tag}-control", control=True),
        )
    except BrokenRun as broken:
        return Verdict(seed=case.seed, problems=[str(broken)])
    problems = list(differences(*runs))
    for run in runs:
        problems += [f"{run.id}: {problem}" for problem in await violations(run, case)]
    return Verdict(seed=case.seed, problems=problems, runs=tuple(runs))


class BrokenRun(Exception):
    """A run that never ended, or ended in no way that a run may end."""


async def _run(house: House, case: Case, id: str, *, control: bool) -> Run:
    async with house.stack(id, case.rules) as stack:
        handle = await stack.start(case.control if control else case.spec, id=id)
        result = asyncio.create_task(_result(handle))
        people = asyncio.create_task(attend(handle, case, dials=not control))
        try:
            await asyncio.wait((result, people), return_when=asyncio.FIRST_COMPLETED)
            if people.done():
                people.result()  # they answer for ever, or until they have answered everything
            ended = await result
        finally:
            result.cancel()
            people.cancel()
            await asyncio.gather(result, people, return_exceptions=True)
        return Run(
            id=id,
            result=ended,
            story=await Story.of(handle),
            rows=stack.rows(id),
            requests=stack.standin.requests(),
        )


async def _result(handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    """The result of a run; of one with failed nodes, the one in the details of its error."""
    try:
        async with asyncio.timeout(SECONDS_PER_RUN):
            return await handle.result()
    except TimeoutError:
        last_words = _last_words(await handle.fetch_history())
        await handle.terminate("it is stuck")
        raise BrokenRun(f"{handle.id} is stuck: {last_words}") from None
    except WorkflowFailureError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == NODES_FAILED:
            return cause.details[0]
        raise BrokenRun(f"{handle.id}: {cause!r:.1000}") from None


def _last_words(history: WorkflowHistory) -> str:
    for event in reversed(history.events):
        if event.HasField("workflow_task_failed_event_attributes"):
            failure = event.workflow_task_failed_event_attributes.failure
            return f"workflow task failed: {failure.message} {failure.stack_trace[-600:]}"
    return f"{len(history.events)} events"
