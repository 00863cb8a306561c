"""Runs a case twice, with and without speculation, and says what is wrong with the two."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from forerun import __version__
from forerun.workers.plugin import forerun_plugin
from forerun.workflows.agent_dag import AgentDag
from tests.harness import Story
from tests.lossless.case import Case
from tests.lossless.checks import Run, differences, violations
from tests.lossless.house import House
from tests.lossless.people import attend

SECONDS_PER_RUN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one pair showed; nothing is wrong if `problems` is empty."""

    seed: int
    problems: list[str]
    launched: int = 0
    promoted: int = 0
    effects: int = 0
    runs: tuple[Run, ...] = ()


async def try_case(house: House, case: Case) -> Verdict:
    """Run a case both ways at once and compare."""
    tag = uuid.uuid4().hex[:8]
    on, off = await asyncio.gather(
        _run(house, case, f"{case.seed}-{tag}-ahead", control=False),
        _run(house, case, f"{case.seed}-{tag}-off", control=True),
    )
    broken = [run for run in (on, off) if isinstance(run, str)]
    if isinstance(on, str) or isinstance(off, str):
        return Verdict(seed=case.seed, problems=broken)
    problems = [f"{what}" for what in differences(on, off)]
    problems += [f"ahead: {what}" for what in violations(on, case)]
    problems += [f"control: {what}" for what in violations(off, case)]
    problems += [f"{run.id}: replay: {why}" for run in (on, off) if (why := await _replay(run))]
    ledger = on.result["ledger"]["speculations"]
    return Verdict(
        seed=case.seed,
        problems=problems,
        launched=ledger["launched"],
        promoted=ledger["promoted"],
        effects=len(on.rows),
        runs=(on, off) if problems else (),
    )


class _Broken(Exception):
    """A run that ended in no way that a run may end."""


async def _run(house: House, case: Case, id: str, *, control: bool) -> Run | str:
    """The run, or what went wrong with it."""
    async with house.stack(id, case.rules) as stack:
        handle = await stack.start(case.control if control else case.spec, id=id)
        people = asyncio.create_task(attend(handle, case, dials=not control))
        try:
            result, failure = await _result(handle)
        except _Broken as broken:
            return f"{broken}; people: {people.done() and people.exception()!r}"
        finally:
            people.cancel()
            await asyncio.gather(people, return_exceptions=True)
        story = await Story.of(handle)
        return Run(
            id=id,
            result=result,
            failure=failure,
            story=story,
            rows=stack.rows(id),
            requests=stack.standin.requests(),
        )


async def _result(handle: WorkflowHandle[Any, Any]) -> tuple[dict[str, Any], str | None]:
    """The result of a run; of one with failed nodes, the one in the details of its error."""
    try:
        async with asyncio.timeout(SECONDS_PER_RUN):
            return await handle.result(), None
    except TimeoutError:
        why = _last_words(await handle.fetch_history())
        await handle.terminate("lossless: stuck")
        raise _Broken(f"{handle.id}: stuck: {why}") from None
    except WorkflowFailureError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == "NodesFailed":
            return cause.details[0], cause.message
        raise _Broken(f"{handle.id}: {cause!r:.1000}") from None


def _last_words(history: Any) -> str:
    for event in reversed(history.events):
        if event.HasField("workflow_task_failed_event_attributes"):
            failure = event.workflow_task_failed_event_attributes.failure
            return f"workflow task failed: {failure.message} {failure.stack_trace[-600:]}"
    return f"{len(history.events)} events"


async def _replay(run: Run) -> str | None:
    replayer = Replayer(
        workflows=[AgentDag], plugins=[forerun_plugin()], build_id=f"forerun-{__version__}"
    )
    replayed = await replayer.replay_workflow(run.story.history, raise_on_replay_failure=False)
    return repr(replayed.replay_failure) if replayed.replay_failure else None
