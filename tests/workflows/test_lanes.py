"""Two lanes: few slots for guesses, and what is claimed in their queue moves to certain work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState

from forerun.workers.roles import SPECULATIVE_SLOTS, Role
from tests.harness import Story
from tests.workflows.auto_reply import Handle
from tests.workflows.own_server import serving, working

SPEC: dict[str, Any] = {
    "version": 1,
    "policy": {"alpha": 1},
    "nodes": {
        "route": {
            "model": "openai:sim-mid",
            "prompt": "Route",
            "guess": [{"from": "value", "value": "billing", "p": 0.9}],
            "estimate": {"seconds": 3},
        },
        "draft": {"model": "openai:sim-mid", "prompt": "Draft {{ route }}", "retries": 2},
    },
}


async def waiting(handle: Handle, state: PendingActivityState.ValueType) -> tuple[str, int, int]:
    """Lane, priority and attempts of the draft that runs ahead, once it is in this state."""
    while True:
        described = (await handle.describe()).raw_description.pending_activities
        for one in described:
            if one.activity_id.startswith("ahead:draft:") and one.state == state:
                queue = one.activity_options.task_queue.name
                return queue, one.priority.priority_key, one.maximum_attempts
        await asyncio.sleep(0.02)


async def test_what_is_claimed_in_the_queue_gets_the_lane_of_certain_work(
    temporal_cli: Path, tmp_path: Path
) -> None:
    """Nobody works in the speculative lane; once claimed, the draft runs all the same, and once."""
    staff = [Role.WORKFLOW, Role.CALL]
    async with (
        serving(temporal_cli) as client,
        working(client, tmp_path, staff=staff) as stack,
    ):
        stack.standin.set_rules(
            [
                {"match": "^Route", "reply": "billing", "ttft_ms": 800},
                {"match": "^Draft", "reply": "Dear", "ttft_ms": 1500},
            ]
        )
        handle = await stack.start(SPEC)
        queued = await waiting(handle, PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED)
        running = await waiting(handle, PendingActivityState.PENDING_ACTIVITY_STATE_STARTED)
        result = await handle.result()
        story = await Story.of(handle)
        asked = [request["user"] for request in stack.standin.requests()]

    assert queued == ("forerun-speculative", 5, 1)
    assert running == ("forerun-calls", 1, 3)
    assert story.outcomes() == {story.ahead("draft")[0]: "promoted"}
    assert asked == ["Route", "Draft billing"]
    assert result["outputs"]["draft"] == "Dear"


async def test_guesses_have_a_few_slots_and_needs_have_their_own(
    temporal_cli: Path, tmp_path: Path
) -> None:
    """Of four calls of a bet two run; the rest waits, and is nobody's loss once it is claimed."""
    draft = {"model": "openai:sim-mid", "estimate": {"seconds": 3}}
    nodes = {"route": SPEC["nodes"]["route"]} | {
        name: {**draft, "prompt": f"Draft {name} {{{{ route }}}}"} for name in "abcd"
    }
    async with serving(temporal_cli) as client, working(client, tmp_path, slots=2) as stack:
        stack.standin.set_rules(
            [
                {"match": "^Route", "reply": "billing", "ttft_ms": 1000},
                {"match": "^Draft", "reply": "Dear", "ttft_ms": 2000},
            ]
        )
        handle = await stack.start({**SPEC, "nodes": nodes})
        await handle.result()
        story = await Story.of(handle)
        asked = stack.standin.requests()

    (routed,) = [request["ended"] for request in asked if request["user"] == "Route"]
    drafts = [request["started"] for request in asked if request["user"] != "Route"]
    assert SPECULATIVE_SLOTS == 8
    assert sum(started < routed for started in drafts) == 2
    assert len(drafts) == 4
    assert set(story.outcomes().values()) == {"promoted"}
    assert len(story.outcomes()) == 4
