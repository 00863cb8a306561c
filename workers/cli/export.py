"""`forerun export`: keep histories before the server's retention deletes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Query = Annotated[str, typer.Option("--query", metavar="Q", help="All runs that match.")]
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to.")]


def export(query: Query, output: Folder) -> None:
    """Save the histories of runs, one JSON file each, for `forerun audit` and `report`."""
    from forerun.workers.cli.exports import export_matching
    from forerun.workers.cli.surroundings import with_client

    raise typer.Exit(with_client(export_matching, query, output))
