"""Runs at unlucky moments: asked to end before they began, or guessed in what only looks alike."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError

from forerun.workers.audit.auditor import audit
from tests.harness import Stack, Story
from tests.workflows.auto_reply import AUTO_REPLY, Handle, answers, deciding, until_running_ahead


async def test_a_list_of_what_only_python_takes_for_equal(stack: Stack, runs: list[Handle]) -> None:
    """A guess of [1] for [true]: its items are other arguments; what they gave is not claimed."""
    listed = {"tool": "echo", "args": {"value": [True, 0], "seconds": 1}}
    nodes: dict[str, Any] = {
        "list": {**listed, "guess": [{"from": "value", "value": [1, False], "p": 0.9}]},
        "each": {
            "for_each": "{{ list }}",
            "tool": "echo",
            "args": {"value": "{{ item }}", "seconds": 0.5},
        },
    }
    policy = {"usd_per_second": "1", "alpha": 1}
    handle = await stack.start({"version": 1, "policy": policy, "nodes": nodes})
    runs.append(handle)

    result = await handle.result()

    story = await Story.of(handle)
    assert story.ahead("each[0]")
    assert [type(item) for item in result["outputs"]["each"]] == [bool, int]
    assert (await audit(story.history)).violations == ()


async def test_a_run_that_is_cancelled_before_it_began(stack: Stack) -> None:
    """There is nothing to settle, and audit has nothing to say."""
    queue = f"later-{uuid.uuid4()}"
    handle = await stack.start(AUTO_REPLY, task_queue=queue)
    await handle.cancel()

    async with deciding(stack, queue):
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()

    assert isinstance(failure.value.cause, CancelledError)
    assert (await audit((await Story.of(handle)).history)).violations == ()


async def test_a_stop_and_go_between_two_tasks(stack: Stack, runs: list[Handle]) -> None:
    """Budget 0 cuts; what comes after is bet on by the new dials, and audited by both."""
    stack.standin.set_rules(answers("billing", ttft_ms=1500))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await until_running_ahead(handle, "draft")
    for budget in ("0", "0.4", "0", "0.3"):
        await handle.execute_update("set_policy", {"budget_usd": budget})
    await handle.signal("approve", {"node": "send", "by": "ann"})
    result = await handle.result()

    story = await Story.of(handle)
    assert result["effects"]["send"]["state"] == "committed"
    assert "cut" in story.outcomes().values()
    assert (await audit(story.history)).violations == ()
