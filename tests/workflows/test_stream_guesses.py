"""The guess source `stream`: what an upstream has already streamed starts what reads only that."""

from __future__ import annotations

from typing import Any

from forerun.speculation.quantities import number
from tests.harness import Stack, Story, check_ledger

PLAN = {
    "type": "object",
    "properties": {"topic": {"type": "string"}, "essay": {"type": "string"}},
    "required": ["topic", "essay"],
}
ESSAY = "word " * 60


def spec(*guess: dict[str, Any], **policy: Any) -> dict[str, Any]:
    """`look` reads the topic of `plan` alone, which streams an essay after it."""
    return {
        "version": 1,
        "policy": {"alpha": 1, "budget_usd": "1", **policy},
        "nodes": {
            "plan": {
                "model": "openai:sim-mid",
                "prompt": "PLAN",
                "schema": PLAN,
                "guess": list(guess) or [{"from": "stream"}],
                "estimate": {"seconds": 2},
            },
            "look": {"model": "anthropic:sim-mid", "prompt": "LOOK {{ plan.topic }}"},
        },
    }


def rules(**first: Any) -> list[dict[str, Any]]:
    """The plan takes a good second after its topic is out."""
    plan = {"topic": "tea", "essay": ESSAY}
    return [
        {"match": "^PLAN", "reply": plan, "ttft_ms": 50, "tokens_per_second": 50, **first},
        {"match": "^LOOK tea", "reply": "leaves", "ttft_ms": 100},
        {"match": "^LOOK", "reply": "long " * 300, "ttft_ms": 100, "tokens_per_second": 50},
    ]


async def test_a_field_that_is_out_starts_what_reads_it(stack: Stack, runs: list[Any]) -> None:
    """The call starts while its upstream still streams, and its result is promoted."""
    stack.standin.set_rules(rules())

    handle = await stack.start(spec({"from": "stream", "field": "topic"}))
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    (ahead,) = story.ahead("look")
    started, planned = story.scheduled(ahead), story.ended("plan")
    assert started
    assert planned
    assert started.event_id < planned.event_id
    assert story.outcomes() == {ahead: "promoted"}
    (tested,) = story.of_kind("guess")
    assert (tested["source"], tested["right"], tested["tier"]) == ("stream", True, 0)
    assert result["outputs"]["look"] == "leaves"
    check_ledger(result["ledger"])


async def test_what_streams_outweighs_what_was_guessed(stack: Stack, runs: list[Any]) -> None:
    """The bet on another value no longer pays: it is cut long before its upstream ends."""
    stack.standin.set_rules(rules())
    value = {"from": "value", "value": {"topic": "cake", "essay": "x"}, "p": 0.7}

    handle = await stack.start(spec(value, {"from": "stream", "field": "topic"}))
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    on_cake, on_tea = story.ahead("look")
    assert story.outcomes() == {on_cake: "cut", on_tea: "promoted"}
    cut = next(d for d in story.of_kind("decision") if d["verdict"] == "cut")
    assert [a["source"] for a in cut["assumptions"]] == ["value"]
    assert number(cut["p"]) < number("0.02")
    ended, planned = story.ended(on_cake), story.ended("plan")
    assert ended
    assert planned
    assert ended.event_id < planned.event_id
    assert result["outputs"]["look"] == "leaves"


async def test_a_choice_is_known_before_its_reply_ends(stack: Stack, runs: list[Any]) -> None:
    """A prefix that leaves one choice is the choice; a slow stream tells it early."""
    nodes = {
        "route": {
            "model": "openai:sim-mid",
            "prompt": "ROUTE",
            "choices": ["refund the customer at once", "ask a person"],
            "guess": [{"from": "stream"}],
            "estimate": {"seconds": 3},
        },
        "act": {"model": "openai:sim-mid", "prompt": "ACT {{ route }}"},
    }
    slow = {"match": "^ROUTE", "reply": "refund the customer at once", "tokens_per_second": 3}
    stack.standin.set_rules([slow, {"match": "^ACT", "reply": "done", "ttft_ms": 50}])

    handle = await stack.start({"version": 1, "policy": {"alpha": 1}, "nodes": nodes})
    runs.append(handle)
    await handle.result()

    assert list((await Story.of(handle)).outcomes().values()) == ["promoted"]


async def test_without_a_budget_nothing_is_told(stack: Stack, runs: list[Any]) -> None:
    """No speculation, no checkpoints: they would cost events for nothing."""
    stack.standin.set_rules(rules())

    handle = await stack.start(spec(budget_usd="0"))
    runs.append(handle)
    await handle.result()

    events = (await Story.of(handle)).history.events
    assert not [e for e in events if e.HasField("workflow_execution_signaled_event_attributes")]


async def test_a_forged_checkpoint_does_no_harm(stack: Stack, runs: list[Any]) -> None:
    """Anybody may signal: at worst a wrong guess, which is refuted like any other."""
    stack.standin.set_rules(rules())

    handle = await stack.start(spec({"from": "stream", "field": "topic"}))
    runs.append(handle)
    forged = {"call": "plan", "attempt": 9, "sequence": 1, "delivered_tokens": 1}
    for payload in ({**forged, "value": {"topic": "cake"}}, "nonsense", {"call": "plan"}):
        await handle.signal("checkpoint", payload)
    result = await handle.result()

    assert result["outputs"]["look"] == "leaves"
    assert result["failed"] == {}


async def test_a_rate_limit_that_a_retry_absorbs_holds_speculation(
    stack: Stack, runs: list[Any]
) -> None:
    """The call recovers by itself, and nothing is speculated on its provider meanwhile."""
    nodes = {
        "first": {"model": "openai:sim-mid", "prompt": "FIRST", "estimate": {"seconds": 3}},
        "second": {
            "model": "anthropic:sim-mid",
            "prompt": "SECOND {{ first }}",
            "guess": [{"from": "value", "value": "two", "p": 0.9}],
            "estimate": {"seconds": 3},
        },
        "later": {"tool": "echo", "args": {"value": 1, "seconds": 0.4}},
        "third": {"model": "openai:sim-mid", "prompt": "THIRD {{ second }} {{ later }}"},
    }
    stack.standin.set_rules(
        [
            {"match": "^FIRST", "fault": "429", "times": 1},
            {"match": "^FIRST", "reply": "one"},
            {"match": "^SECOND", "reply": "two", "ttft_ms": 300},
            {"match": "^THIRD", "reply": "three"},
        ]
    )

    handle = await stack.start({"version": 1, "policy": {"alpha": 1}, "nodes": nodes})
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    assert result["failed"] == {}
    assert result["outputs"]["third"] == "three"
    held = [d for d in story.of_kind("decision") if d["verdict"] == "hold"]
    assert any(d["reason"] == "rate_limited: openai" for d in held)
