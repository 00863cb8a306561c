"""What never runs on a guess is named in the record of the bet that would have led there."""

from __future__ import annotations

from tests.harness import Stack, Story
from tests.workflows.auto_reply import APPROVAL, CLASSIFY, Handle, answers


async def test_the_record_says_why_a_bet_stops_at_the_barrier(
    stack: Stack, runs: list[Handle]
) -> None:
    """A certain win, and yet nothing irreversible runs on it, nor what reads an effect."""
    stack.standin.set_rules(answers("billing", ttft_ms=600))
    nodes = {
        "classify": {**CLASSIFY, "guess": [{"from": "value", "value": "billing", "p": 0.99}]},
        "send": {"effect": "outbox.put", "args": {"to": "a", "body": "{{ classify }}"}},
        "log": {"tool": "echo", "args": {"value": "{{ classify }} {{ send.key }}"}},
    }
    policy = {"alpha": 1, "usd_per_second": "100"}
    handle = await stack.start(
        {"version": 1, "policy": policy, "input": {"email": "x"}, "nodes": nodes}
    )
    runs.append(handle)
    await handle.signal("approve", APPROVAL)
    await handle.result()

    story = await Story.of(handle)
    first = story.of_kind("decision")[0]
    assert (first["verdict"], first["reason"]) == ("hold", "irreversible")
    assert [(one["node"], one["reason"]) for one in first["refused"]] == [
        ("send", "irreversible"),
        ("log", "effect upstream"),
    ]
    assert story.outcomes() == {}
    committed, classified = story.scheduled("commit:send"), story.ended("classify")
    assert committed
    assert classified
    assert classified.event_id < committed.event_id
