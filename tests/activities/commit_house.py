"""Workflows that trust themselves, a commit worker that does not, and the outbox behind it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from forerun.activities.builtin_tools import echo
from forerun.activities.effects.commit import Commits
from forerun.activities.effects.outbox import Outbox, OutboxPut
from forerun.activities.intent import CommitReceipt, CommitRequest
from forerun.activities.registration import Commit, operation
from forerun.activities.registry import Registry
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval, EffectClass
from tests.resets import reset

MESSAGE: dict[str, Any] = {"to": "ann@example.org", "body": "hello"}
OTHER = MESSAGE | {"to": "eve@example.org"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Commit `requests` one after the other once `signals` signals have come, of whatever kind."""

    commit_queue: str
    signals: int
    requests: list[CommitRequest] = field(default_factory=list[CommitRequest])


@workflow.defn(name="TrustingWorkflow")
class TrustingWorkflow:
    """Has no barrier of its own: it asks for every commit, approved or not."""

    def __init__(self) -> None:
        self.signals = 0

    # Dynamic: a handler with a typed payload never hears of a signal that does not decode.
    @workflow.signal(dynamic=True)
    def receive(self, _name: str, _payloads: Sequence[RawValue]) -> None:
        self.signals += 1

    @workflow.run
    async def run(self, plan: Plan) -> list[CommitReceipt]:
        await workflow.wait_condition(lambda: self.signals >= plan.signals)
        return [
            await workflow.execute_activity_method(
                Commits.commit,
                request,
                task_queue=plan.commit_queue,
                start_to_close_timeout=timedelta(seconds=30),
                heartbeat_timeout=timedelta(seconds=10),
                retry_policy=RetryPolicy(
                    maximum_attempts=3, initial_interval=timedelta(milliseconds=10)
                ),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
            for request in plan.requests
        ]


class Effects:
    """Effects on top of a real outbox, each with a gate or a mishap of its own."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.running = asyncio.Event()

    @operation("test.auto", version="1", effect=EffectClass.IRREVERSIBLE, approval=Approval.AUTO)
    async def auto(self, arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        return await self._outbox.put(arguments, commit)

    @operation("test.exact", version="1", effect=EffectClass.IRREVERSIBLE, approval=Approval.EXACT)
    async def exact(self, arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        return await self._outbox.put(arguments, commit)

    @operation("test.two", version="1", effect=EffectClass.IRREVERSIBLE, approvals=2)
    async def two(self, arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        return await self._outbox.put(arguments, commit)

    @operation("test.lost_reply", version="1", effect=EffectClass.IRREVERSIBLE, usd="0.01")
    async def lost_reply(self, arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        receipt = await self._outbox.put(arguments, commit)
        if activity.info().attempt == 1:
            raise ConnectionResetError("the effect happened, its reply was lost")
        return receipt

    @operation("test.slow", version="1", effect=EffectClass.IRREVERSIBLE)
    async def slow(self, arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        self.running.set()
        await activity.wait_for_cancelled()
        return await self._outbox.put(arguments, commit)

    @operation("test.no_object", version="1", effect=EffectClass.IRREVERSIBLE)
    async def no_object(self, arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        await self._outbox.put(arguments, commit)
        return cast("dict[str, Any]", None)


class House:
    """A workflow worker, a commit worker and the outbox behind it, with `more` operations."""

    def __init__(self, client: Client, path: Path, *more: object) -> None:
        self.client = client
        self.path = path
        self.queue = f"house-{uuid4()}"
        self.outbox = Outbox(f"sqlite:///{path}")
        self.effects = Effects(self.outbox)
        self.commit = Commits(Registry.of(self.outbox, self.effects, echo, *more), client).commit

    @property
    def commit_queue(self) -> str:
        return f"{self.queue}-commit"

    @asynccontextmanager
    async def workflows(self) -> AsyncGenerator[None]:
        async with Worker(
            self.client,
            task_queue=self.queue,
            workflows=[TrustingWorkflow],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield

    @asynccontextmanager
    async def commits(self) -> AsyncGenerator[None]:
        async with Worker(
            self.client,
            task_queue=self.commit_queue,
            activities=[self.commit],
            max_heartbeat_throttle_interval=timedelta(milliseconds=250),
        ):
            yield

    async def start(
        self, *requests: CommitRequest, signals: int = 0, workflow_id: str | None = None
    ) -> WorkflowHandle[Any, list[CommitReceipt]]:
        return await self.client.start_workflow(
            TrustingWorkflow.run,
            Plan(commit_queue=self.commit_queue, signals=signals, requests=list(requests)),
            id=workflow_id or f"flow-{uuid4()}",
            task_queue=self.queue,
        )

    async def run(
        self, *requests: CommitRequest, signals: Sequence[tuple[str, Any]] = ()
    ) -> list[CommitReceipt]:
        """The receipts of a run that got `signals` before it asked for `requests`.

        A signal is a name with its payload, or with a tuple of payloads.
        """
        async with self.workflows(), self.commits():
            handle = await self.start(*requests, signals=len(signals))
            for name, payload in signals:
                several = isinstance(payload, tuple)
                await handle.signal(name, args=cast("Any", payload) if several else [payload])
            return await handle.result()

    async def refusal(
        self, *requests: CommitRequest, signals: Sequence[tuple[str, Any]] = ()
    ) -> ApplicationError:
        """The error of a run whose last commit was refused for good."""
        with pytest.raises(WorkflowFailureError) as raised:
            await self.run(*requests, signals=signals)
        return refusal_of(raised.value)

    async def reset(
        self, handle: WorkflowHandle[Any, list[CommitReceipt]]
    ) -> WorkflowHandle[Any, list[CommitReceipt]]:
        """The run that starts over after the first workflow task of `handle`."""
        run_id = await reset(self.client, handle.id, handle.first_execution_run_id, event_id=4)
        return self.client.get_workflow_handle_for(TrustingWorkflow.run, handle.id, run_id=run_id)

    def rows(self) -> list[Mapping[str, Any]]:
        if not self.path.exists():
            return []
        with closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM outbox")]


def refusal_of(failure: WorkflowFailureError) -> ApplicationError:
    assert isinstance(failure.cause, ActivityError)
    assert isinstance(failure.cause.cause, ApplicationError)
    assert failure.cause.cause.non_retryable
    return failure.cause.cause


def wish(
    name: str = "outbox.put",
    arguments: dict[str, Any] = MESSAGE,
    *,
    intent: str = "send",
    exact: bool = False,
) -> CommitRequest:
    return CommitRequest(
        intent=intent,
        operation=name,
        version="1",
        arguments=arguments,
        digest=digest(arguments),
        exact=exact,
    )


def said(answer: str, by: str, **more: Any) -> tuple[str, Any]:
    return answer, {"node": "send", "by": by} | more


async def scheduled_commits(handle: WorkflowHandle[Any, Any]) -> int:
    history = await handle.fetch_history()
    return sum(
        event.HasField("activity_task_scheduled_event_attributes") for event in history.events
    )


async def commit_scheduled(handle: WorkflowHandle[Any, Any]) -> None:
    """Returns once the run has asked for a commit."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.HasField("activity_task_scheduled_event_attributes"):
            return
