"""Runs to give commands about: their nodes, and how they are begun and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import Client

from forerun.workers.cli.runs import NoAnswer, Run, start

CLASSIFY = {
    "model": "openai:sim-mid",
    "choices": ["billing", "bug"],
    "guess": [{"from": "value", "value": "billing", "p": 0.9}],
}
POLICY = {"alpha": 1, "usd_per_second": "0.05"}
REPLY = {
    "classify": {**CLASSIFY, "prompt": "Which team?"},
    "draft": {"model": "anthropic:sim-mid", "prompt": "Answer {{ classify }}"},
    "send": {"effect": "outbox.put", "args": {"to": "m@example.com", "body": "{{ draft }}"}},
}
SLOW = {
    "classify": {**CLASSIFY, "prompt": "Slowly"},
    "draft": {"model": "anthropic:sim-mid", "prompt": "Ramble {{ classify }}"},
}


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait for what other processes do, and for visibility, which lags behind."""
    while not await condition():  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.02)


async def begun(client: Client, id: str, nodes: dict[str, Any], **rest: Any) -> Run:
    """A run that a worker has taken up."""
    spec = {"version": 1, "policy": POLICY, "nodes": nodes, **rest}
    run = await start(client, spec, id=id, summary="test")
    await until(lambda: taken_up(run))
    return run


async def taken_up(run: Run) -> bool:
    try:
        return bool((await run.progress()).nodes)
    except NoAnswer:
        return False


async def found(client: Client, query: str) -> bool:
    return (await client.count_workflows(query)).count > 0
