"""The kept histories, read and reported on."""

from __future__ import annotations

from functools import cache

from temporalio.client import WorkflowHistory

from forerun.workers.audit.auditor import audit_read
from forerun.workers.audit.history import read_file
from forerun.workers.audit.reading import read_run
from forerun.workers.audit.run import Run
from forerun.workers.report.page import run_page
from forerun.workers.report.single import Single, single
from tests.replay.scenario import HISTORIES

NAMES = tuple(sorted(path.stem for path in HISTORIES.glob("*.json")))


@cache
def history(name: str) -> WorkflowHistory:
    """A kept history."""
    return read_file(HISTORIES / f"{name}.json")


@cache
def run(name: str) -> Run:
    """What it tells of."""
    return read_run(history(name))[0]


async def reported(history: WorkflowHistory) -> Single:
    """The report of a history, audited without a replay: that takes its time, and is not drawn."""
    run, problems = read_run(history)
    return single(run, await audit_read(history, run, problems, {}))


async def page(history: WorkflowHistory) -> str:
    """Its page."""
    return run_page(await reported(history))
