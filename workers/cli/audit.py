"""`forerun audit`: is a run what its history says, to the last digit?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forerun.workers.cli.process import CommandError, run

Target = Annotated[
    str | None, typer.Argument(metavar="[ID|FILE.json]", help="A run, or an exported history.")
]
Query = Annotated[
    str | None, typer.Option("--query", metavar="Q", help="All runs that match, from the server.")
]
Code = Annotated[
    list[str] | None,
    typer.Option("--workflow", metavar="MODULE:CLASS", help="Code of your own workflow."),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


def audit(
    target: Target = None, query: Query = None, workflow: Code = None, as_json: AsJson = False
) -> None:
    """Check a run from its history alone: replay, every figure, every dollar, every gate.

    Exits with 0 if nothing is violated, 1 if something is, 2 if a file is no history.
    """
    from forerun.workers.audit.history import NotAHistory
    from forerun.workers.cli.audits import Form, audit_file, audit_matching, audit_run, code_of
    from forerun.workers.cli.surroundings import settings, with_client

    if (target is None) == (query is None):
        raise CommandError("audit: give either an ID, a FILE.json or --query Q", code=2)
    form = Form(workflows=code_of(workflow), as_json=as_json)
    if query is not None:
        raise typer.Exit(with_client(audit_matching, query, form))
    path = Path(target or "")
    if path.is_file() or path.suffix == ".json":
        settings(quiet=True)
        raise typer.Exit(run(audit_file(path, form), (NotAHistory,)))
    raise typer.Exit(with_client(audit_run, target or "", form))
