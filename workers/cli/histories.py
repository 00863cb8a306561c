"""Histories from the server: of one run, or of all that match a query."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError

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


async def count(client: Client, query: str) -> int:
    """How many runs match a visibility query.

    Raises:
        CommandError: the query is none.
    """
    try:
        return (await client.count_workflows(query)).count
    except RPCError as error:
        raise CommandError(f"the server cannot list {query!r}: {error.message}") from error


async def matching(client: Client, query: str) -> AsyncGenerator[WorkflowHistory]:
    """The histories of the runs that match a visibility query, one at a time.

    Raises:
        CommandError: the query is none, or the server does not give a history.
    """
    try:
        async for found in client.list_workflows(query):
            handle = client.get_workflow_handle(found.id, run_id=found.run_id)
            yield await handle.fetch_history()
    except RPCError as error:
        raise CommandError(f"the server cannot give {query!r}: {error.message}") from error
