"""Workflows of a user's own that do in an unlucky moment what is allowed, and what is not."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from forerun import Speculation
from tests.workflows.own_workflows import BILLING


@workflow.defn
class Meanwhile:
    """Names operations that nobody has heard of yet while the books are being kept."""

    @workflow.run
    async def run(self, kind_of_step: str) -> dict[str, Any]:
        async with Speculation(budget_usd="1", usd_per_second="1") as ahead:
            kind = ahead.model(
                "classify", "openai:sim-mid", "CLASSIFY", choices=["billing", "bug"], guess=[BILLING]
            )  # fmt: skip
            ahead.model("draft", "openai:sim-mid", lambda kind: f"DRAFT {kind}", kind)
            guess = {"from": "value", "value": "soon", "p": 0.5}
            await ahead.model("quick", "openai:sim-mid", "QUICK", guess=[guess])
            # The test of that guess is being written down just now.
            if kind_of_step == "tool":
                ahead.tool("step", "kb.search", lambda kind: {"topic": kind}, kind)
            else:
                ahead.effect("step", "outbox.put", lambda kind: {"to": "a", "body": kind}, kind)
        return ahead.result()


@workflow.defn
class Afterwards:
    """Goes on with a block that it has left, or is in already."""

    @workflow.run
    async def run(self, how: str) -> Any:
        ahead = Speculation()
        async with ahead:
            first = ahead.tool("first", "echo", {"value": 1})
            if how == "step":
                ahead.tool("second", "echo", {"value": [first]})
            if how == "inside":
                async with ahead:
                    pass
        if how == "await":
            return [await first, await first]
        if how == "again":
            async with ahead:
                pass
        return await ahead.tool("second", "echo", {"value": await first})


@workflow.defn
class Hurried:
    """Cancels its own block, while models answer at length, and again while that winds down."""

    @workflow.run
    async def run(self, _: str) -> str:
        block = asyncio.create_task(self._block())
        await workflow.sleep(1)
        for _turn in range(2):
            block.cancel()
            await workflow.sleep(0.001)
        await asyncio.gather(block, return_exceptions=True)
        return "cancelled" if block.cancelled() else "not cancelled"

    async def _block(self) -> None:
        async with Speculation(usd_per_second="1") as ahead:
            kind = ahead.model(
                "classify", "openai:sim-mid", "CLASSIFY", choices=["billing", "bug"], guess=[BILLING]
            )  # fmt: skip
            await ahead.model("draft", "openai:sim-mid", lambda kind: f"DRAFT {kind}", kind)


@workflow.defn
class Careless:
    """Puts its values to other use once it has declared steps on them."""

    @workflow.run
    async def run(self, _: str) -> dict[str, Any]:
        said = ["a"]
        async with Speculation() as ahead:
            first = ahead.tool("first", "echo", {"value": said})
            said.append("b")
            (await first).append("c")
            ahead.result()["outputs"]["first"].append("d")
            ahead.tool("second", "echo", lambda first: {"value": first}, first)
        return ahead.result()["outputs"]


@workflow.defn
class Impatient:
    """Gives up an activity of its own, without waiting for the end of it."""

    @workflow.run
    async def run(self, _: str) -> int:
        async with Speculation() as ahead:
            lost = workflow.execute_activity(
                "nobody_does_this", task_queue="nowhere", schedule_to_close_timeout=SECONDS
            )
            with suppress(TimeoutError, ActivityError):
                await asyncio.wait_for(lost, 0.1)
            return await ahead.tool("first", "echo", {"value": 1})


SECONDS = timedelta(seconds=60)
MISTAKEN = [Meanwhile, Afterwards, Hurried, Careless, Impatient]
