"""How long one attempt of a call may take: as its operation was registered, or as its node says."""

from __future__ import annotations

from tests.harness import Stack, Story
from tests.workflows.auto_reply import Handle


async def test_a_node_may_say_how_long_and_else_the_operation_does(
    stack: Stack, runs: list[Handle]
) -> None:
    """The server ends an attempt that takes longer."""
    tool = {"tool": "clock.read", "args": {"topic": "now"}}
    nodes = {"usual": tool, "short": {**tool, "timeout_seconds": 7}}
    handle = await stack.start({"version": 1, "nodes": nodes})
    runs.append(handle)
    await handle.result()

    story = await Story.of(handle)
    scheduled = [story.scheduled(name) for name in nodes]
    given = [
        event.activity_task_scheduled_event_attributes.start_to_close_timeout.seconds
        for event in scheduled
        if event
    ]
    assert given == [33, 7]
