"""Failing nodes, faulty providers, cancelled runs: everything else finishes, and all is settled."""

from __future__ import annotations

import asyncio
import uuid
from decimal import Decimal

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from tests.harness import Stack, Story, check_ledger
from tests.workflows.auto_reply import (
    APPROVAL,
    AUTO_REPLY,
    Handle,
    answers,
    deciding,
    until_running_ahead,
)


async def test_a_failing_node_stops_only_its_descendants(stack: Stack, runs: list[Handle]) -> None:
    """Everything else finishes, effects included; the error names the node and carries the rest."""
    stack.standin.set_rules([{"match": "broken", "fault": "500"}, {"match": ".", "reply": "fine"}])
    spec = {
        "version": 1,
        "nodes": {
            "bad": {"model": "openai:sim-mid", "prompt": "broken", "retries": 0},
            "after": {"tool": "echo", "args": {"value": "{{ bad }}"}},
            "good": {"model": "openai:sim-mid", "prompt": "whole"},
            "send": {"effect": "outbox.put", "args": {"to": "x", "body": "{{ good }}"}},
        },
    }
    handle = await stack.start(spec)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()

    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.message.startswith("failed nodes: bad")
    (details,) = cause.details
    assert details["outputs"] == {"good": "fine"}
    assert details["effects"]["send"]["state"] == "committed"
    assert details["skipped"] == ["after"]
    assert len(stack.rows(handle.id)) == 1


@pytest.mark.parametrize("fault", ["429", "500", "reset", "truncate", "sse_error"])
async def test_authoritative_work_recovers_from_provider_faults(
    stack: Stack, runs: list[Handle], fault: str
) -> None:
    """One fault costs a retry; what the broken attempt cost is in the ledger."""
    stack.standin.set_rules(
        [
            {
                "match": "^Say",
                "fault": fault,
                "times": 1,
                "reply": "word " * 20,
                "tokens_per_second": 400,
            },
            {"match": "^Say", "reply": "fine"},
        ]
    )
    spec = {"version": 1, "nodes": {"say": {"model": "openai:sim-mid", "prompt": "Say fine"}}}
    handle = await stack.start(spec)
    runs.append(handle)

    result = await handle.result()

    assert result["outputs"] == {"say": "fine"}
    assert len(stack.standin.requests()) == 2
    check_ledger(result["ledger"])


async def test_a_speculation_that_fails_just_loses_its_bet(
    stack: Stack, runs: list[Handle]
) -> None:
    """The provider fails the speculative draft; the need runs as an ordinary call."""
    failing = {"match": "^Draft", "fault": "500", "times": 1}
    stack.standin.set_rules([failing, *answers("billing", ttft_ms=500)])
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    story = await Story.of(handle)
    assert story.outcomes()[story.ahead("draft")[0]] == "failed"
    assert result["outputs"]["draft"].startswith("Dear customer")


async def test_a_cancelled_run_still_settles_everything(stack: Stack, runs: list[Handle]) -> None:
    """Live speculations are cut, joined and written down before the run closes as cancelled."""
    stack.standin.set_rules(answers("billing", ttft_ms=60_000))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await until_running_ahead(handle, "draft")
    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()

    assert isinstance(failure.value.cause, CancelledError)
    story = await Story.of(handle)
    assert story.outcomes()[story.ahead("draft")[0]] == "cut"
    await stack.standin.idle()
    assert {r["outcome"] for r in stack.standin.requests()} == {"disconnected"}


async def test_what_ends_together_with_a_cancel_request_is_not_lost(
    stack: Stack, runs: list[Handle]
) -> None:
    """No worker decides while a run is cancelled and a call on a guess ends: its dollars count."""
    stack.standin.set_rules(
        [*answers("billing", ttft_ms=5000), {"match": "^Quick", "reply": "ok", "ttft_ms": 1500}]
    )
    queue = f"away-{uuid.uuid4()}"
    nodes = {name: AUTO_REPLY["nodes"][name] for name in ("classify", "lookup")}
    quick = {"model": "openai:sim-small", "prompt": "Quick: {{ classify }}", "max_output_tokens": 9}
    handle = await stack.start({**AUTO_REPLY, "nodes": {**nodes, "quick": quick}}, task_queue=queue)
    runs.append(handle)
    async with deciding(stack, queue):
        await until_running_ahead(handle, "quick")
    await handle.cancel()
    await _until_over(handle, "quick")

    async with deciding(stack, queue):
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    (outcome,) = [o for o in (await Story.of(handle)).of_kind("outcome") if o["node"] == "quick"]
    assert outcome["outcome"] == "discarded"
    assert Decimal(outcome["best_usd"]) > 0


async def test_a_gate_that_opens_together_with_a_cancel_request_is_closed(
    stack: Stack, runs: list[Handle]
) -> None:
    """What it waited for ends while no worker decides and the run is cancelled: it asks nobody."""
    stack.standin.set_rules([{"match": "^Write", "reply": "Dear", "ttft_ms": 1500}])
    queue = f"away-{uuid.uuid4()}"
    write = {"model": "openai:sim-small", "prompt": "Write", "max_output_tokens": 9}
    send = {"effect": "outbox.put", "args": {"to": "a@example.com", "body": "{{ write }}"}}
    spec = {"version": 1, "nodes": {"write": write, "send": send}}
    handle = await stack.start(spec, task_queue=queue)
    runs.append(handle)
    async with deciding(stack, queue):
        while not stack.standin.requests():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await handle.cancel()
    while not (await Story.of(handle)).ended("write"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    async with deciding(stack, queue):
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()

    assert isinstance(failure.value.cause, CancelledError)
    assert stack.rows(handle.id) == []


async def _until_over(handle: Handle, node: str) -> None:
    """The server has the result of a speculation on this node."""
    while True:
        story = await Story.of(handle)
        if any(story.ended(id) for id in story.ahead(node)):
            return
