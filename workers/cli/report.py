"""`forerun report`: a run on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forerun.workers.cli.process import run

Target = Annotated[
    str, typer.Argument(metavar="ID|FILE.json", help="A run, or an exported history.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE.html", help="Where to write it.")
]
Code = Annotated[
    list[str] | None,
    typer.Option("--workflow", metavar="MODULE:CLASS", help="Code of your own workflow."),
]


def report(target: Target, output: Output = None, workflow: Code = None) -> None:
    """Write one HTML page that needs no network: what ran, what was bet, what it cost."""
    from forerun.workers.audit.history import NotAHistory
    from forerun.workers.cli.audits import code_of
    from forerun.workers.cli.reports import report_file, report_run
    from forerun.workers.cli.surroundings import settings, with_client

    code, path = code_of(workflow), Path(target)
    if not (path.is_file() or path.suffix == ".json"):
        raise typer.Exit(with_client(report_run, target, output, code))
    settings(quiet=True)
    raise typer.Exit(run(report_file(path, output, code), (NotAHistory,)))
