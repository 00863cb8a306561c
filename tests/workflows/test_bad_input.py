"""Bad specs end with one line; large ones stay within the limits of the server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from tests.harness import Stack
from tests.workflows.auto_reply import (
    AUTO_REPLY,
    Handle,
)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("not a spec", "JSON object"),
        ({"version": 1}, "nodes"),
        ({"version": 1, "nodes": {"a": {"tool": "kb.serch"}}}, "nodes.a.tool"),
        ({"version": 1, "nodes": {"a": {"tool": "outbox.put"}}}, "nodes.a.tool"),
        ({"version": 1, "nodes": {"a": {"tool": "echo", "args": {"valeu": 1}}}}, "nodes.a.args"),
        (
            {"version": 1, "nodes": {"a": {"model": "openai:x", "prompt": "{{ b }}"}}},
            "nodes.a.prompt",
        ),
    ],
)
async def test_a_bad_spec_fails_the_run_with_one_line(
    stack: Stack, spec: object, words: str
) -> None:
    """It never hangs in workflow task retries, and says where and how to fix it."""
    handle = await stack.start(spec)

    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()

    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.non_retryable) == ("InvalidSpec", True)
    assert words in cause.message
    assert "\n" not in cause.message


async def test_no_argument_and_two_arguments_are_one_line_too(stack: Stack) -> None:
    """The Temporal CLI lets users start a run with any number of inputs."""
    for arguments in ([], [AUTO_REPLY, AUTO_REPLY]):
        handle = await stack.client.start_workflow(
            "AgentDag", args=arguments, id=f"args-{len(arguments)}", task_queue="forerun"
        )
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), 20)


async def test_a_wide_fan_out_stays_within_the_servers_limits(
    stack: Stack, runs: list[Handle]
) -> None:
    """150 calls with 20 KB of arguments each start over several workflow tasks, and all end.

    Their outputs are more than a result may hold: the rest is named by its digest.
    """
    nodes: dict[str, Any] = {
        f"n{i}": {"tool": "echo", "args": {"value": f"{{{{ input.text }}}} {i}"}}
        for i in range(150)
    }
    handle = await stack.start({"version": 1, "input": {"text": "x" * 20_000}, "nodes": nodes})
    runs.append(handle)

    result = await handle.result()

    assert len(result["outputs"]) == 150
    assert 0 < str(result["outputs"]).count("omitted_bytes") < 150
