"""What may leave while it is a guess: each operation says so, and the provider sees no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Stack, Story
from tests.operations import ASKED
from tests.workflows.auto_reply import CLASSIFY, Handle, answers

HELD = {
    "deferred": "disclosure: defer topic until it is certain",
    "redacted": "disclosure: redact email until it is certain",
    "blocked": "disclosure: block",
}


def reading(operation: str, **args: str) -> dict[str, Any]:
    """A run that reads about what is guessed."""
    return {
        "version": 1,
        "input": {"email": "My invoice is wrong", "from": "ann@example.com"},
        "nodes": {
            "classify": CLASSIFY,
            "read": {"tool": f"customer.{operation}", "args": args},
            "reply": {"model": "openai:sim-mid", "prompt": "Draft: {{ read }}"},
        },
    }


async def run(stack: Stack, runs: list[Handle], spec: dict[str, Any]) -> tuple[Story, bool]:
    """The story of a run, and whether the provider was asked before the classification was there."""
    ASKED.clear()
    stack.standin.set_rules(answers("billing", ttft_ms=900))
    handle = await stack.start(spec)
    runs.append(handle)
    await handle.result()
    (classified,) = [r for r in stack.standin.requests() if r["user"].startswith("Classify")]
    ((_, _, asked_at),) = ASKED
    return await Story.of(handle), asked_at < classified["ended"]


def reasons(story: Story) -> set[str]:
    """Why nodes were held back."""
    return {
        refusal["reason"] for record in story.of_kind("decision") for refusal in record["refused"]
    }


@pytest.mark.parametrize("policy", ["deferred", "redacted", "blocked"])
async def test_what_may_not_leave_waits(stack: Stack, runs: list[Handle], policy: str) -> None:
    """Nothing is asked before it is certain, the reason is recorded, and nothing runs past it."""
    story, ahead = await run(
        stack, runs, reading(policy, topic="{{ classify }}", email="{{ classify }}@example.com")
    )

    assert not ahead
    assert reasons(story) == {HELD[policy]}
    assert {d["verdict"] for d in story.of_kind("decision")} == {"hold"}
    assert {d["reason"] for d in story.of_kind("decision")} == {HELD[policy]}
    assert story.outcomes() == {}


@pytest.mark.parametrize("policy", ["allowed", "redacted"])
async def test_what_may_leave_runs_ahead(stack: Stack, runs: list[Handle], policy: str) -> None:
    """The certain address may go with a guessed topic; the decision says by which policy."""
    story, ahead = await run(
        stack, runs, reading(policy, topic="{{ classify }}", email="{{ input.from }}")
    )

    assert ahead
    assert reasons(story) == set()
    assert story.outcomes()[story.ahead("read")[0]] == "promoted"
    applied = {
        call["stake"]["node"]: call["stake"]["disclosure"]
        for decision in story.of_kind("decision")
        for call in decision["calls"]
    }
    mode = {"allowed": "allow", "redacted": "redact"}[policy]
    assert applied == {"read": mode, "reply": None}


async def test_that_it_is_needed_may_be_a_guess(stack: Stack, runs: list[Handle]) -> None:
    """A deferred read with certain arguments goes out although only a guess says that it runs."""
    spec = reading("deferred", topic="all", email="{{ input.from }}")
    spec["nodes"]["read"]["when"] = "{{ classify == 'billing' }}"

    story, ahead = await run(stack, runs, spec)

    assert ahead
    assert story.outcomes()[story.ahead("read")[0]] == "promoted"


async def test_items_of_a_guessed_list_are_guesses(stack: Stack, runs: list[Handle]) -> None:
    """What `item` reads is as uncertain as the list that it is of."""
    spec = reading("deferred", topic="{{ item }}", email="{{ input.from }}")
    spec["nodes"]["read"]["for_each"] = "{{ [classify] }}"

    story, ahead = await run(stack, runs, spec)

    assert not ahead
    assert reasons(story) == {HELD["deferred"]}
