"""Histories from the server: of one run, or of all that match a query."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from rich.console import Console
from rich.progress import Progress
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError

from forerun.workers.cli.printable import printable
from forerun.workers.cli.process import CommandError


async def history_of(client: Client, id: str) -> WorkflowHistory:
    """The history of the latest run of a workflow id.

    Raises:
        CommandError: there is no such run, or the server does not give its history.
    """
    try:
        return await client.get_workflow_handle(id).fetch_history()
    except RPCError as error:
        raise CommandError(f"run {id!r}: {error.message}") from error


async def matching(client: Client, query: str, doing: str) -> AsyncGenerator[WorkflowHistory]:
    """The histories of the runs that match a visibility query, one at a time, with a progress bar.

    Raises:
        CommandError: the query is none, or the server does not give a history.
    """
    total, console = await _count(client, query), Console(stderr=True)
    # Into a file, a bar that is gone would still write an empty line.
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(doing, total=total)
        async for history in _matching(client, query):
            progress.update(task, description=printable(history.workflow_id))
            yield history
            progress.advance(task)


async def _count(client: Client, query: str) -> int:
    try:
        return (await client.count_workflows(query)).count
    except RPCError as error:
        raise CommandError(f"the server cannot list {query!r}: {error.message}") from error


async def _matching(client: Client, query: str) -> AsyncGenerator[WorkflowHistory]:
    try:
        async for found in client.list_workflows(query):
            handle = client.get_workflow_handle(found.id, run_id=found.run_id)
            yield await handle.fetch_history()
    except RPCError as error:
        raise CommandError(f"the server cannot give {query!r}: {error.message}") from error
