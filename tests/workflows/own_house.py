"""Workflows of a user's own, on a worker that knows nothing but them and the plugin."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, Worker

from forerun import SpeculationPlugin
from tests.harness import Stack
from tests.workflows.auto_reply import Handle

QUEUE = "own"


class OwnHouse:
    """Starts workflows; each is ended after `patience`, if there is any."""

    def __init__(self, client: Client, patience: timedelta | None) -> None:
        self.handles: list[Handle] = []
        self._client = client
        self._patience = patience

    @staticmethod
    @asynccontextmanager
    async def open(
        stack: Stack, workflows: Sequence[type], patience: timedelta | None = None
    ) -> AsyncGenerator[OwnHouse]:
        """Run their worker for the length of the block; then every history has to replay."""
        address = stack.client.service_client.config.target_host
        client = await Client.connect(address, plugins=[SpeculationPlugin(env={})])
        house = OwnHouse(client, patience)
        async with Worker(client, task_queue=QUEUE, workflows=workflows):
            yield house
        replayer = Replayer(workflows=workflows, plugins=[SpeculationPlugin(env={})])
        for handle in house.handles:
            await replayer.replay_workflow(await handle.fetch_history())

    async def start(self, name: str, argument: str) -> Handle:
        """Start the workflow of this name."""
        id = f"own-{uuid.uuid4()}"
        handle: Any = await self._client.start_workflow(
            name, argument, id=id, task_queue=QUEUE, execution_timeout=self._patience
        )
        self.handles.append(handle)
        return handle

    async def problem(self, name: str, argument: str) -> ApplicationError:
        """What the workflow of this name fails with."""
        handle = await self.start(name, argument)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert isinstance(failure.value.cause, ApplicationError)
        return failure.value.cause
