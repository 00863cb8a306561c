"""Three of the measured DAGs as plain Temporal workflows, written by hand: what forerun is up against.

The same activities on the same queues with the same requests and retries, and nothing else: no
templates, no records, no ledger, no policy. Everything around a call that forerun does on top shows
as a difference to these.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

with workflow.unsafe.imports_passed_through():
    from benchmarks.shapes import LARGE, MID, REASONED, SMALL, WRITER
    from benchmarks.specs import SCHEMA
    from forerun.activities.call_result import CallResult, Completed
    from forerun.activities.model_call import ModelCalls, ModelRequest
    from forerun.activities.operation import ToolRequest
    from forerun.activities.tool_call import ToolCalls

QUEUE = "plain"
CALLS_QUEUE = "forerun-calls"

OPTIONS: dict[str, Any] = {
    "task_queue": CALLS_QUEUE,
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=4),
    "priority": Priority(priority_key=1),
    "cancellation_type": workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}


class Agent:
    """The calls of one run. `ask` is its input: what is said at what pace, and the prompts' texts."""

    def __init__(self, name: str, ask: dict[str, Any]) -> None:
        self._name = name
        self._ask = ask

    async def verdict(self, step: str, model: str, *given: str, output: int = 60) -> str:
        """A verdict's answer."""
        return (await self._model(step, model, given, output, SCHEMA))["answer"]

    async def text(self, step: str, model: str, *given: str, output: int = 300) -> str:
        """A text."""
        return await self._model(step, model, given, output, None)

    async def tool(self, step: str, *given: str) -> str:
        """What a look-up finds."""
        value = {"answer": self._ask["says"][step], "for": list(given)}
        arguments = {"value": value, "seconds": self._ask["seconds"][step]}
        found = await workflow.execute_activity_method(
            ToolCalls.tool_call,
            ToolRequest(operation="echo", version="1", arguments=arguments),
            activity_id=step,
            **OPTIONS,
        )
        return _output(found)["answer"]

    async def _model(
        self,
        step: str,
        model: str,
        given: tuple[str, ...],
        output: int,
        schema: dict[str, Any] | None,
    ) -> Any:
        ask = self._ask
        head = f"{self._name}/{step} {ask['says'][step]} {ask['pace'][step]} {ask['case']}"
        provider, _, name = model.partition(":")
        request = ModelRequest(
            provider=provider,
            model=name,
            prompt="\n".join([head, *given, ask["texts"][step]]),
            schema=schema,
            max_output_tokens=round(2 * output / ask["tokens_scale"]),
        )
        answer = await workflow.execute_activity_method(
            ModelCalls.model_call, request, activity_id=step, **OPTIONS
        )
        return _output(answer)


@workflow.defn(name="plain-router")
class Router:
    @workflow.run
    async def run(self, ask: dict[str, Any]) -> dict[str, Any]:
        agent = Agent("router", ask)
        intent = await agent.verdict("intent", LARGE, output=REASONED)
        account, policy = await asyncio.gather(
            agent.tool("account", intent), agent.tool("policy", intent)
        )
        draft = await agent.text("draft", WRITER, intent, account, policy)
        judge = await agent.verdict("judge", LARGE, draft, output=REASONED)
        return {"reply": await agent.text("reply", SMALL, draft, judge, output=200)}


@workflow.defn(name="plain-panel")
class Panel:
    @workflow.run
    async def run(self, ask: dict[str, Any]) -> dict[str, Any]:
        agent = Agent("panel", ask)
        draft = await agent.text("draft", WRITER, output=350)
        verdicts = await asyncio.gather(
            agent.verdict("facts", LARGE, draft, output=REASONED),
            agent.verdict("style", LARGE, draft, output=80),
            agent.verdict("legal", LARGE, draft, output=80),
        )
        edit = await agent.text("edit", WRITER, draft, *verdicts, output=350)
        return {"teaser": await agent.text("teaser", SMALL, edit, output=120)}


@workflow.defn(name="plain-research")
class Research:
    @workflow.run
    async def run(self, ask: dict[str, Any]) -> dict[str, Any]:
        agent = Agent("research", ask)
        found: list[str] = []
        for i in range(1, 5):
            query = await agent.verdict(f"query_{i}", MID, *found[-2:], output=80)
            found.append(await agent.tool(f"search_{i}", query))
        return {"answer": await agent.text("answer", WRITER, *found, output=400)}


WORKFLOWS = {"router": Router, "panel": Panel, "research": Research}


def _output(result: CallResult) -> Any:
    if not isinstance(result, Completed):
        raise TypeError("a call was cut that nobody asked to cut")
    return result.output
