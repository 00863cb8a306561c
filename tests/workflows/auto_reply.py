"""The run that most tests of workflows are about, and what they ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from forerun import SpeculationPlugin
from forerun.workflows.agent_dag import AgentDag
from tests.harness import Stack

Handle = Any
"""A `WorkflowHandle`: the SDK's overloads by name leave its types unknown."""

CLASSIFY = {
    "model": "openai:sim-mid",
    "prompt": "Classify: {{ input.email }}",
    "choices": ["billing", "bug", "sales"],
    "guess": [{"from": "value", "value": "billing", "p": 0.6}],
    "estimate": {"seconds": 2},
}
AUTO_REPLY: dict[str, Any] = {
    "version": 1,
    "workload": "auto-reply",
    "input": {"email": "My invoice is wrong", "from": "a@example.com"},
    "nodes": {
        "classify": CLASSIFY,
        "lookup": {"tool": "kb.search", "args": {"topic": "{{ classify }}"}},
        "draft": {
            "model": "anthropic:sim-mid",
            "prompt": "Draft: {{ classify }} {{ lookup.text }}",
            "max_output_tokens": 300,
        },
        "send": {
            "effect": "outbox.put",
            "args": {"to": "{{ input.from }}", "body": "{{ draft }}"},
        },
    },
}
APPROVAL = {"node": "send", "by": "ann"}


def answers(classify: str, *, ttft_ms: int = 600) -> list[dict[str, Any]]:
    """Classify takes a while; the draft takes longer than a test would like to wait twice."""
    return [
        {"match": "^Classify", "reply": classify, "ttft_ms": ttft_ms, "tokens_per_second": 500},
        {
            "match": "^Draft",
            "reply": "Dear customer, " * 40,
            "ttft_ms": 50,
            "tokens_per_second": 150,
        },
    ]


def with_policy(spec: dict[str, Any], **policy: Any) -> dict[str, Any]:
    """`spec` under another policy."""
    return {**spec, "policy": policy}


@asynccontextmanager
async def deciding(stack: Stack, queue: str) -> AsyncGenerator[None]:
    """A worker for the runs of one queue, for the length of the block; others make their calls."""
    address = stack.client.service_client.config.target_host
    client = await Client.connect(address, plugins=[SpeculationPlugin(env={})])
    async with Worker(client, task_queue=queue, workflows=[AgentDag]):
        yield


async def until_pending(handle: Handle) -> dict[str, Any]:
    """The gate's view, once something waits."""
    while True:
        pending = await handle.query("pending")
        if pending["intents"]:
            return pending
        await asyncio.sleep(0.05)


async def until_running_ahead(handle: Handle, node: str) -> None:
    """Wait until a speculation on `node` is under way."""
    while True:
        ledger = await handle.query("ledger")
        if any(s["node"] == node and s["running"] for s in ledger.get("ahead", ())):
            return
        await asyncio.sleep(0.05)


async def until_held(handle: Handle) -> None:
    """Wait for the first decision that launches nothing."""
    while True:
        decisions = await handle.query("decisions")
        if any(d.get("verdict") == "hold" for d in decisions):
            return
        await asyncio.sleep(0.05)
