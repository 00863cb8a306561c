"""A run as its outside sees it: queries, signals, the update, and its end.

Every answer that is not one has its own name: a run that does not exist is the user's mistake, a
query that nobody answers is a missing worker, and a server that is away comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

from temporalio import exceptions
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from forerun.workers.cli.process import CommandError
from forerun.workers.cli.refused_signal import refused_signal
from forerun.workers.cli.run_views import PROGRESS, WAITING, Progress, Waiting
from forerun.workers.connection import away
from forerun.workers.patient_runner import ASK_AGAIN
from forerun.workflows.options import WORKFLOW_QUEUE
from forerun.workflows.refusals import INVALID_SPEC

ANSWER_SECONDS = 10.0
OUTAGE_SECONDS = 1.0

RUNNING = "ExecutionStatus='Running'"
AWAITING = f"{RUNNING} AND ForerunAwaiting IS NOT NULL"
AGENT_DAG = "WorkflowType='AgentDag'"
OURS = f"({AGENT_DAG} OR ForerunWorkload IS NOT NULL)"
"""Also workflows of a user's own; a run carries the attribute as soon as a worker has taken it up."""

NOBODY = {
    RPCStatusCode.CANCELLED,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.FAILED_PRECONDITION,  # a query, while no worker polls
}
"""The statuses that time may cure, beside those of a server that is away; all others are final."""


class NoAnswer(Exception):
    """No worker, or no server, answered for the run."""


class RunFailed(CommandError):
    """The run ended otherwise than completed; `result` is as far as it came, where it says so."""

    def __init__(self, message: str, result: dict[str, Any] | None, *, code: int) -> None:
        super().__init__(message, code=code)
        self.result = result


class Run:
    """One run by its workflow id; the latest one of that id."""

    def __init__(self, client: Client, id: str) -> None:
        self.id = id
        self._handle = client.get_workflow_handle(id, result_type=dict[str, Any])

    async def progress(self) -> Progress:
        """Where it stands.

        Raises:
            NoAnswer, CommandError: no worker answers; there is no such run.
        """
        return PROGRESS.validate_python({"nodes": {}, "ahead": (), **await self.query("ledger")})

    async def waiting(self, *intent: str) -> list[Waiting]:
        """What waits for approval; large arguments are whole only of one intent that is named.

        Raises as `progress` does.
        """
        return WAITING.validate_python((await self.query("pending", *intent))["intents"])

    async def status(self) -> str:
        """`running`, `completed`, `failed` and so on.

        Raises:
            CommandError: there is no such run.
        """
        with self._known():
            described = await self._handle.describe()
        status = described.status or WorkflowExecutionStatus.RUNNING
        return status.name.lower().replace("_", " ")

    async def send(self, answer: str, payload: dict[str, str]) -> None:
        """Signal `approve` or `reject`.

        Raises:
            CommandError: there is no such run, or it is over.
        """
        with self._known():
            try:
                await self._handle.signal(answer, payload)
            except RPCError as error:
                raise refused_signal(self.id, error) from error

    async def set_policy(self, changes: dict[str, str]) -> dict[str, str]:
        """Change its policy; the policy now in force.

        Raises:
            NoAnswer, CommandError: no worker answers; no such run, or the change was refused.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                with self._known():
                    found = await self._handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
                        "set_policy", changes
                    )
        except WorkflowUpdateFailedError as error:
            raise CommandError(str(error.cause)) from error
        except TimeoutError as error:
            raise NoAnswer(_no_answer(self.id)) from error
        return cast("dict[str, str]", found)

    async def result(self, outage: Callable[[], None]) -> dict[str, Any]:
        """Wait for its end, over any outage of the server; `outage` is called for each.

        Raises:
            RunFailed: it ended otherwise than completed.
            CommandError: there is no such run.
        """
        while True:
            try:
                with self._known():
                    return await self._handle.result()
            except WorkflowFailureError as error:
                raise _failure(self.id, error.cause) from error
            except NoAnswer:
                outage()
                await asyncio.sleep(OUTAGE_SECONDS)

    async def query(self, name: str, *about: str) -> dict[str, Any]:
        """What a query answers. Raises as `progress` does."""
        timeout = timedelta(seconds=ANSWER_SECONDS)
        with self._known():
            try:
                found = await self._handle.query(name, args=about, rpc_timeout=timeout)
            except WorkflowQueryFailedError as error:
                if error.message != ASK_AGAIN:
                    raise
                found = await self._handle.query(name, args=about, rpc_timeout=timeout)
            return cast("dict[str, Any]", found)

    @contextmanager
    def _known(self) -> Generator[None]:
        try:
            yield
        except RPCError as error:
            if error.status in NOBODY or away(error):
                raise NoAnswer(_no_answer(self.id)) from error
            raise CommandError(f"run {self.id!r}: {error.message}") from error
        except WorkflowQueryFailedError as error:
            if error.message == ASK_AGAIN:
                raise NoAnswer(f"{self.id}: {error.message}") from error
            raise CommandError(f"{self.id!r} is no run of AgentDag ({error})") from error


async def start(client: Client, spec: dict[str, Any], *, id: str, summary: str) -> Run:
    """Start a run of `spec`.

    Raises:
        CommandError: the id is in use by a live run, or the server refuses.
    """
    try:
        await client.start_workflow(
            "AgentDag", spec, id=id, task_queue=WORKFLOW_QUEUE, static_summary=summary
        )
    except WorkflowAlreadyStartedError as error:
        raise CommandError(f"run {id!r} is still going on: choose another --id") from error
    except RPCError as error:
        raise CommandError(f"the server does not start run {id!r}: {error.message}") from error
    return Run(client, id)


async def live_runs(client: Client) -> str:
    """The query for all live runs; only AgentDag's, where nothing tells a user's own from others."""
    try:
        await client.count_workflows(OURS)
    except RPCError:  # a namespace without our search attributes
        return f"{AGENT_DAG} AND {RUNNING}"
    return f"{OURS} AND {RUNNING}"


async def runs(client: Client, query: str) -> AsyncGenerator[Run]:
    """The runs that match a visibility query.

    Raises:
        CommandError: the query is none.
    """
    try:
        async for found in client.list_workflows(query):
            yield Run(client, found.id)
    except RPCError as error:
        raise CommandError(f"the server cannot list {query!r}: {error.message}") from error


def _no_answer(id: str) -> str:
    return f"{id}: no answer; is a worker running (`forerun worker`, `forerun up`)?"


def _failure(id: str, cause: BaseException | None) -> RunFailed:
    match cause:
        case exceptions.ApplicationError():
            details = cause.details[0] if cause.details else None
            result = cast("dict[str, Any]", details) if isinstance(details, dict) else None
            code = 2 if cause.type == INVALID_SPEC else 1
            return RunFailed(cause.message, result, code=code)
        case exceptions.CancelledError():
            how = "was cancelled"
        case exceptions.TerminatedError():
            how = "was terminated"
        case exceptions.TimeoutError():
            how = "timed out"
        case exceptions.FailureError():
            how = f"failed: {cause.message}"
        case _:
            how = f"ended: {cause}"
    return RunFailed(f"run {id!r} {how}", None, code=1)
