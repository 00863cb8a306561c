"""A workflow that stages, discards and commits as it is told, and the drafts behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from forerun.activities.call_result import Completed, Cut
from forerun.activities.effects.commit import Commits
from forerun.activities.effects.drafts import Draft, Drafts
from forerun.activities.effects.outbox import Outbox
from forerun.activities.effects.staging import Stages
from forerun.activities.intent import (
    CommitReceipt,
    CommitRequest,
    DiscardRequest,
    Intent,
    StageRequest,
    SweepRequest,
    Swept,
)
from forerun.activities.registration import Commit, operation
from forerun.activities.registry import Registry
from forerun.activities.stageable import Stage, discards, lists_stages, stages
from forerun.speculation.effect_class import Approval, EffectClass
from tests.activities.databases import rows
from tests.resets import reset

BILL = {"title": "your bill", "body": "it is wrong, we are sorry"}
BUG = {"title": "your bug", "body": "it is right, we are sorry"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Stage at once; discard and commit after a signal; end after a second one."""

    queue: str
    stage: list[StageRequest] = field(default_factory=list[StageRequest])
    discard: list[DiscardRequest] = field(default_factory=list[DiscardRequest])
    commit: list[CommitRequest] = field(default_factory=list[CommitRequest])


@workflow.defn(name="StagingWorkflow")
class StagingWorkflow:
    """Does what its plan says, and leaves every other stage to the sweep."""

    def __init__(self) -> None:
        self.signals = 0
        self.staged: list[Completed | Cut] = []

    @workflow.signal
    def proceed(self) -> None:
        self.signals += 1

    @workflow.query
    def stages(self) -> list[Completed | Cut]:
        return self.staged

    @workflow.run
    async def run(self, plan: Plan) -> list[CommitReceipt]:
        how: Any = {
            "task_queue": plan.queue,
            "start_to_close_timeout": timedelta(seconds=30),
            "retry_policy": RetryPolicy(
                maximum_attempts=2, initial_interval=timedelta(milliseconds=10)
            ),
        }
        self.staged = [
            await workflow.execute_activity_method(Stages.stage, request, **how)
            for request in plan.stage
        ]
        await workflow.wait_condition(lambda: self.signals > 0)
        for request in plan.discard:
            await workflow.execute_activity_method(Stages.discard, request, **how)
        receipts: list[CommitReceipt] = [
            await workflow.execute_activity_method(Commits.commit, request, **how)
            for request in plan.commit
        ]
        await workflow.wait_condition(lambda: self.signals > 1)
        return receipts


class Mishaps:
    """Stageable effects on top of real drafts, each with a mishap of its own; nobody is asked."""

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts
        self.staging = asyncio.Event()

    @operation(
        "test.lost_reply",
        version="1",
        effect=EffectClass.STAGEABLE,
        approval=Approval.AUTO,
        usd="0.01",
    )
    async def put(self, arguments: Draft, commit: Commit) -> dict[str, Any]:
        receipt = await self._drafts.put(arguments, commit)
        if activity.info().attempt == 1:
            raise ConnectionResetError("it is committed, its reply was lost")
        return receipt

    @stages(put)
    async def stage(self, arguments: Draft, stage: Stage) -> None:
        await self._drafts.stage(arguments, stage)
        if activity.info().attempt == 1:
            raise ConnectionResetError("it is staged, its reply was lost")

    @discards(put)
    async def discard(self, stage: Stage) -> None:
        await self._drafts.discard(stage)
        if activity.info().attempt == 1:
            raise ConnectionResetError("it is discarded, its reply was lost")

    @lists_stages(put)
    async def staged(self, before: datetime) -> list[Stage]:
        return []  # they are among those of the drafts

    @operation("test.hung", version="1", effect=EffectClass.STAGEABLE, usd="0.01")
    async def put_hung(self, arguments: Draft, commit: Commit) -> dict[str, Any]:
        return await self._drafts.put(arguments, commit)

    @stages(put_hung)
    async def stage_hung(self, arguments: Draft, stage: Stage) -> None:
        self.staging.set()
        await asyncio.Event().wait()

    @discards(put_hung)
    async def discard_hung(self, stage: Stage) -> None:
        await self._drafts.discard(stage)

    @lists_stages(put_hung)
    async def staged_hung(self, before: datetime) -> list[Stage]:
        return []


class StagingHouse:
    """A workflow worker and a commit worker on one queue, with drafts and an outbox."""

    def __init__(self, client: Client, folder: str) -> None:
        self.client = client
        self.url = f"sqlite:///{folder}/drafts.sqlite3"
        self.queue = f"staging-{uuid4()}"
        self.drafts = Drafts(self.url)
        self.mishaps = Mishaps(self.drafts)
        outbox = Outbox(f"sqlite:///{folder}/outbox.sqlite3")
        self.registry = Registry.of(self.drafts, self.mishaps, outbox)
        self.stages = Stages(self.registry, client)
        self.commits = Commits(self.registry, client)

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        async with Worker(
            self.client,
            task_queue=self.queue,
            workflows=[StagingWorkflow],
            activities=[
                self.commits.commit,
                self.stages.stage,
                self.stages.discard,
                self.stages.sweep,
            ],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield

    def intent(self, arguments: dict[str, Any] = BILL, name: str = "drafts.put") -> Intent:
        return Intent.of(self.registry.cards[name], intent="draft", arguments=arguments)

    async def start(
        self,
        *,
        stage: tuple[Intent, ...] = (),
        discard: tuple[Intent, ...] = (),
        commit: tuple[Intent, ...] = (),
        id: str | None = None,
    ) -> WorkflowHandle[Any, list[CommitReceipt]]:
        """A run that has staged what it is to stage."""
        plan = Plan(
            queue=self.queue,
            stage=[intent.staging() for intent in stage],
            discard=[intent.discarding() for intent in discard],
            commit=[intent.request() for intent in commit],
        )
        handle = await self.client.start_workflow(
            StagingWorkflow.run, plan, id=id or f"flow-{uuid4()}", task_queue=self.queue
        )
        await self.task_done(handle, 1 + len(stage))
        return handle

    async def task_done(self, handle: WorkflowHandle[Any, Any], number: int) -> int:
        """The event that ended a run's workflow task of that number, once there is one."""
        done = 0
        async for event in handle.fetch_history_events(wait_new_event=True):
            done += event.HasField("workflow_task_completed_event_attributes")
            if done == number:
                return event.event_id
        raise AssertionError(f"{handle.id} ended after {done} workflow tasks")

    async def reset(self, handle: WorkflowHandle[Any, Any], task: int) -> WorkflowHandle[Any, Any]:
        """The run that goes on after a workflow task of `handle`."""
        event = await self.task_done(handle, task)
        run_id = await reset(self.client, handle.id, handle.first_execution_run_id, event)
        return self.client.get_workflow_handle(handle.id, run_id=run_id)

    async def sweep(self, older_than_seconds: float = 0) -> Swept:
        """The way a timer of the workers would: an activity without a run."""
        return await self.client.execute_activity_method(
            Stages.sweep,
            SweepRequest(older_than_seconds=older_than_seconds),
            id=f"sweep-{uuid4()}",
            task_queue=self.queue,
            start_to_close_timeout=timedelta(seconds=30),
        )

    def states(self) -> list[tuple[str, str]]:
        """Workflow id and state of every draft."""
        found = rows(self.url, "drafts")
        return sorted((row["workflow_id"], row["state"]) for row in found)
