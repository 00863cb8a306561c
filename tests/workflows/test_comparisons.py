"""While a model compares a guess with its answer: who waits for it, how long, and what ends it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from forerun.speculation.quantities import number
from forerun.workflows import comparisons
from tests.harness import Stack, Story, check_ledger
from tests.workflows.auto_reply import APPROVAL, Handle
from tests.workflows.loosely import NEAR, SUMMARY, approve_exactly, rules, spec

SLOW = 60_000


async def until_asked(stack: Stack) -> None:
    """Wait until the embedder has been asked."""
    while True:
        if any(entry["model"].startswith("text-") for entry in stack.standin.requests()):
            return
        await asyncio.sleep(0.02)


async def test_only_what_a_speculation_hangs_on_waits(stack: Stack, runs: list[Handle]) -> None:
    """The reply may be claimed, so it waits; the note was never bet on, and starts at once."""
    stack.standin.set_rules(rules(ttft_ms=700))
    note = {
        "model": "openai:sim-mid",
        "prompt": "Note: {{ summarise }}",
        "speculate": False,
        "estimate": {"seconds": 0.1},
    }
    handle = await stack.start(spec(3, NEAR, note=note))
    runs.append(handle)
    await approve_exactly(handle)

    result = await handle.result()

    story = await Story.of(handle)
    (compare,) = [id for id in story.activity_ids() if id.startswith("compare:")]
    noted, verdict = story.scheduled("note"), story.ended(compare)
    assert noted is not None
    assert verdict is not None
    assert noted.event_id < verdict.event_id
    assert "reply" not in story.activity_ids()
    assert [one["node"] for one in result["approximations"]] == ["reply"]


async def test_a_verdict_that_does_not_come_is_different(
    stack: Stack, runs: list[Handle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply to the answer is asked for then, and what the model may have cost is on the bill."""
    monkeypatch.setattr(comparisons, "COMPARISON_TIMEOUT", timedelta(seconds=1))
    stack.standin.set_rules(rules(ttft_ms=SLOW))
    handle = await stack.start(spec(3, NEAR))
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    story = await Story.of(handle)
    (compared,), (tested,) = story.of_kind("compared"), story.of_kind("guess")
    assert (compared["tier"], compared["by"]) == (None, "nobody")
    assert compared["reason"] == "timed out (schedule to close)"
    assert tested["right"] is False
    assert "reply" in story.activity_ids()
    assert result["approximations"] == []
    check_ledger(result["ledger"])


async def test_the_stop_switch_ends_it(stack: Stack, runs: list[Handle]) -> None:
    """What it was for is cut, so nobody needs it; what was sent is paid, and the run goes on."""
    stack.standin.set_rules(rules(ttft_ms=SLOW))
    handle = await stack.start(spec(3, NEAR))
    runs.append(handle)
    await handle.signal("approve", APPROVAL)
    await until_asked(stack)

    await handle.execute_update("set_policy", {"budget_usd": "0"})
    result = await handle.result()

    story = await Story.of(handle)
    (compared,) = story.of_kind("compared")
    assert (compared["tier"], compared["reason"]) == (None, "cut")
    assert compared["basis"] == "estimated"
    assert number(compared["best_usd"]) == number(result["ledger"]["guess_usd"]) > 0
    assert {o["reason"] for o in story.of_kind("outcome")} == {"the budget is 0"}
    assert stack.standin.requests()[-1]["user"] == f"Reply: {SUMMARY}"
    await stack.standin.idle()
    (asked,) = [e for e in stack.standin.requests() if e["model"].startswith("text-")]
    assert asked["outcome"] == "disconnected"


async def test_a_cancelled_run_joins_it(stack: Stack, runs: list[Handle]) -> None:
    """Its bill is written down before the run ends, and its guess tested."""
    stack.standin.set_rules(rules(ttft_ms=SLOW))
    handle = await stack.start(spec(3, NEAR))
    runs.append(handle)
    await until_asked(stack)

    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    story = await Story.of(handle)
    kinds = [record["kind"] for record in story.records]
    assert {"compared", "outcome", "guess"} <= {*kinds}
    (compared,) = story.of_kind("compared")
    assert (compared["tier"], compared["reason"]) == (None, "cut")


async def test_a_claim_does_not_wait_for_other_guesses(stack: Stack, runs: list[Handle]) -> None:
    """One of two is the same in other words: the reply to it is taken, and nobody asks any more."""
    stack.standin.set_rules(rules(ttft_ms=SLOW))
    guesses = [
        {"from": "value", "value": SUMMARY.upper(), "p": 0.5},
        {"from": "value", "value": NEAR, "p": 0.4},
    ]
    two: dict[str, Any] = {**spec(3, NEAR)["nodes"]["summarise"], "guess": guesses}
    handle = await stack.start(spec(3, NEAR, summarise=two))
    runs.append(handle)
    await approve_exactly(handle)

    result = await handle.result()

    story = await Story.of(handle)
    assert sorted(str(one["tier"]) for one in story.of_kind("compared")) == ["2", "None"]
    assert [one["tier"] for one in result["approximations"]] == [2]
    assert sorted(str(one["right"]) for one in story.of_kind("guess")) == ["False", "True"]
