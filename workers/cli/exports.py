"""Histories as files: one per run, under a name that is unique and harmless.

A file is written aside and then moved into place, so that an export that is interrupted leaves whole
histories only. A run that is still open is saved as far as it has come; a later export replaces it.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from temporalio.client import Client, WorkflowHistory

from forerun.workers.audit.history import run_id_of
from forerun.workers.cli.histories import matching
from forerun.workers.cli.links import print_link
from forerun.workers.cli.process import CommandError
from forerun.workers.cli.surroundings import pages

LONGEST_NAME = 150


async def export_matching(client: Client, query: str, folder: Path) -> int:
    """Save every run that matches a query.

    Raises:
        CommandError: the query is none, or the folder cannot be written to.
    """
    saved = 0
    try:
        async for history in matching(client, query, "saving"):
            save(history, folder)
            saved += 1
    except OSError as error:
        raise CommandError(f"{error.filename or folder}: {error.strerror or error}") from error
    print(f"{saved} {'history' if saved == 1 else 'histories'} in {folder}")
    print_link(Console(highlight=False), (await pages(client)).matching(query))
    return 0


def save(history: WorkflowHistory, folder: Path) -> Path:
    """Write one history; the file that it is in, named after the workflow and the run."""
    name = quote(history.workflow_id, safe="")[:LONGEST_NAME]
    path = folder / f"{name}.{run_id_of(history)}.json"
    events = json.loads(history.to_json())["events"]
    lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in events)
    folder.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    aside.write_text(f'{{"events":[\n{lines}\n]}}\n', encoding="utf-8")
    aside.replace(path)
    return path
