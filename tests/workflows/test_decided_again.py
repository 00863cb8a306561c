"""A verdict holds until something changes: time, dials, or what a probability depends on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Stack, Story
from tests.workflows.auto_reply import CLASSIFY, Handle, answers, until_held, until_running_ahead

DRAFT: dict[str, Any] = {
    "model": "anthropic:sim-mid",
    "prompt": "Draft: {{ classify }}",
    "max_output_tokens": 300,
}
WORTHLESS = {"usd_per_second": "0.0000001"}


def spec(policy: dict[str, Any] | None = None, **nodes: Any) -> dict[str, Any]:
    """A draft on a guess, beside other nodes."""
    return {
        "version": 1,
        "policy": policy or {},
        "input": {"email": "My invoice is wrong"},
        "nodes": {"classify": CLASSIFY, "draft": DRAFT, **nodes},
    }


def verdicts(story: Story, node: str) -> list[tuple[str, str]]:
    """What was decided of the bets with a call of a node, in order, and why."""
    return [
        (decision["verdict"], decision["reason"])
        for decision in story.of_kind("decision")
        if any(call["stake"]["node"] == node for call in decision["calls"])
    ]


async def test_what_saved_no_time_at_the_start_is_launched_once_it_does(
    stack: Stack, runs: list[Handle]
) -> None:
    """A branch that should take a minute hides the draft; it ends at once: the draft starts."""
    stack.standin.set_rules(answers("billing", ttft_ms=1500))
    beside = {
        "tool": "echo",
        "args": {"value": 1, "seconds": 0.1},
        "estimate": {"seconds": 60},
    }
    handle = await stack.start(spec(beside=beside))
    runs.append(handle)

    await handle.result()

    story = await Story.of(handle)
    held, launched = verdicts(story, "draft")
    assert held == ("hold", "saves no time")
    assert launched[0] == "launch"
    assert set(story.outcomes().values()) == {"promoted"}


async def test_what_no_longer_pays_is_cut(stack: Stack, runs: list[Handle]) -> None:
    """Time that is said to be worth next to nothing ends the live bet, and no other begins."""
    stack.standin.set_rules(answers("billing", ttft_ms=1500))
    handle = await stack.start(spec())
    runs.append(handle)
    await until_running_ahead(handle, "draft")
    await handle.execute_update("set_policy", WORTHLESS)

    await handle.result()

    story = await Story.of(handle)
    assert [verdict for verdict, _ in verdicts(story, "draft")][:2] == ["launch", "cut"]
    assert story.outcomes() == {story.ahead("draft")[0]: "cut"}
    cut, classified = story.ended(story.ahead("draft")[0]), story.ended("classify")
    assert cut
    assert classified
    assert cut.event_id < classified.event_id
    assert "draft" in story.activity_ids()


async def test_what_begins_to_pay_is_launched(stack: Stack, runs: list[Handle]) -> None:
    """The dials count from the next decision on, and turning them is the occasion for one."""
    stack.standin.set_rules(answers("billing", ttft_ms=1500))
    handle = await stack.start(spec(WORTHLESS))
    runs.append(handle)
    await until_held(handle)
    await handle.execute_update("set_policy", {"usd_per_second": "0.5"})

    await handle.result()

    story = await Story.of(handle)
    held, launched = verdicts(story, "draft")
    assert (held, launched[0]) == (("hold", "EV below threshold"), "launch")
    assert set(story.outcomes().values()) == {"promoted"}


@pytest.mark.parametrize(("mood", "fate"), [("sad", "promoted"), ("angry", "cut")])
async def test_a_refuted_condition_cuts_nothing_that_may_still_be_right(
    stack: Stack, runs: list[Handle], mood: str, fate: str
) -> None:
    """Whether `page` runs hangs on the mood, the guess of it does not: only P changes (1 or 0)."""
    node = {"model": "openai:sim-mid", "estimate": {"seconds": 3}, "max_output_tokens": 60}
    stack.standin.set_rules(
        [
            {"match": "^Mood", "reply": mood, "ttft_ms": 700},
            {"match": "^Page", "reply": "bob", "ttft_ms": 900},
            {"match": "^Write", "reply": "word " * 50, "ttft_ms": 50, "tokens_per_second": 25},
        ]
    )
    nodes = {
        "mood": {**node, "prompt": "Mood", "guess": [{"from": "value", "value": "calm", "p": 0.8}]},
        "page": {
            **node,
            "prompt": "Page whom?",
            "when": "{{ mood != 'angry' }}",
            "guess": [{"from": "value", "value": "bob", "p": 0.9}],
        },
        "write": {**node, "prompt": "Write to {{ page }}"},
    }
    handle = await stack.start({"version": 1, "policy": {"alpha": 1}, "nodes": nodes})
    runs.append(handle)

    result = await handle.result()

    story = await Story.of(handle)
    placed = [
        d
        for d in story.of_kind("decision")
        if d["verdict"] == "launch" and [a["node"] for a in d["assumptions"]] == ["page"]
    ]
    assert [(d["p"], [c["node"] for c in d["conditions"]]) for d in placed] == [("0.72", ["page"])]
    assert story.outcomes()[story.ahead("write")[0]] == fate
    (tested,) = [g for g in story.of_kind("guess") if g["node"] == "mood"]
    assert (tested["right"], tested["tier"]) == ((True, 0) if mood == "sad" else (False, None))
    asked = [r["user"] for r in stack.standin.requests()]
    assert asked.count("Write to bob") == 1
    assert result["skipped"] == ([] if fate == "promoted" else ["page", "write"])
