"""`forerun report`: a run on one page, or many of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forerun.workers.cli.process import CommandError, run

Targets = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID|FILE.json ...]", help="A run, or exported histories."),
]
Query = Annotated[
    str | None, typer.Option("--query", metavar="Q", help="All runs that match, from the server.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE.html", help="Where to write it.")
]
Code = Annotated[
    list[str] | None,
    typer.Option("--workflow", metavar="MODULE:CLASS", help="Code of your own workflow."),
]


def report(
    targets: Targets = None, query: Query = None, output: Output = None, workflow: Code = None
) -> None:
    """Write one HTML page that needs no network: of one run, or of a workload.

    One ID or file gives the page of that run, audited; a query or several files that of all of them.
    """
    from forerun.workers.audit.history import NotAHistory
    from forerun.workers.cli.audits import code_of
    from forerun.workers.cli.reports import report_file, report_files, report_matching, report_run
    from forerun.workers.cli.surroundings import settings, with_client

    if bool(targets) == (query is not None):
        raise CommandError("report: give either an ID, FILE.json ... or --query Q", code=2)
    code = code_of(workflow)
    if query is not None:
        raise typer.Exit(with_client(report_matching, query, output))
    paths = [Path(target) for target in targets or ()]
    if len(paths) == 1 and not _is_file(paths[0]):
        raise typer.Exit(with_client(report_run, str(paths[0]), output, code))
    settings(quiet=True)
    work = report_file(paths[0], output, code) if len(paths) == 1 else report_files(paths, output)
    raise typer.Exit(run(work, (NotAHistory,)))


def _is_file(path: Path) -> bool:
    return path.is_file() or path.suffix == ".json"
