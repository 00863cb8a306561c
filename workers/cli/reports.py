"""Reports, made and written: of one run with its audit, or of many without their replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from temporalio.client import Client, WorkflowHistory

from forerun.workers.audit.auditor import audit_read
from forerun.workers.audit.history import read_file
from forerun.workers.audit.reading import read_run
from forerun.workers.cli.exports import LONGEST_NAME
from forerun.workers.cli.histories import history_of, matching
from forerun.workers.cli.links import print_link
from forerun.workers.cli.printable import printable
from forerun.workers.cli.process import CommandError
from forerun.workers.cli.surroundings import pages
from forerun.workers.report.page import run_page, workload_page
from forerun.workers.report.sample import Sample, sample_of
from forerun.workers.report.single import single, verdict
from forerun.workers.report.workload import workload

Code = Mapping[str, type]
"""The workflows that can be replayed, by name."""


async def report_file(path: Path, output: Path | None, code: Code) -> int:
    """The page of an exported history.

    Raises:
        NotAHistory: the file holds none.
        CommandError: the page cannot be written.
    """
    return await _report(read_file(path), output, code)


async def report_run(client: Client, id: str, output: Path | None, code: Code) -> int:
    """The page of the latest run of a workflow id. Raises as `report_file` does."""
    done = await _report(await history_of(client, id), output, code)
    print_link(Console(highlight=False), (await pages(client)).run(id))
    return done


async def report_files(paths: Sequence[Path], output: Path | None) -> int:
    """The page of several exported histories. Raises as `report_file` does."""
    return _write_workload([await sample_of(read_file(path)) for path in paths], output)


async def report_matching(client: Client, query: str, output: Path | None) -> int:
    """The page of all runs that match a query.

    Raises:
        CommandError: none does, or the query is none.
    """
    histories = matching(client, query, "reading")
    done = _write_workload([await sample_of(history) async for history in histories], output)
    print_link(Console(highlight=False), (await pages(client)).matching(query))
    return done


async def _report(history: WorkflowHistory, output: Path | None, code: Code) -> int:
    run, problems = read_run(history)
    audit = await audit_read(history, run, problems, code)
    path = output or Path(f"{quote(run.workflow_id, safe='')[:LONGEST_NAME]}.html")
    _write(path, run_page(single(run, audit)))
    print(printable(f"{path}: {verdict(audit)}"))
    return 0


def _write_workload(samples: Sequence[Sample], output: Path | None) -> int:
    if not samples:
        raise CommandError("report: no run matches")
    path = output or Path("workload.html")
    _write(path, workload_page(workload(samples)))
    print(printable(f"{path}: {len(samples)} runs"))
    return 0


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from error
