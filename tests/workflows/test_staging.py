"""Stageable effects: prepared on a guess, committed once, and nothing else left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from forerun.activities.intent import Swept
from forerun.speculation.quantities import number
from forerun.workers.audit.auditor import audit
from forerun.workers.sweeping import SWEEP_ID
from tests.harness import Stack, Story, check_ledger
from tests.operations import DISCARDED
from tests.workflows.auto_reply import CLASSIFY, Handle, answers, until_pending

APPROVAL = {"node": "note", "by": "ann"}


def noting(effect: dict[str, Any], **nodes: Any) -> dict[str, Any]:
    """A run whose effect reads a classification that is guessed."""
    return {
        "version": 1,
        "input": {"email": "My invoice is wrong"},
        "nodes": {"classify": CLASSIFY, **nodes, "note": effect},
    }


NOTE = noting(
    {"effect": "drafts.put", "args": {"title": "{{ classify }}", "body": "{{ draft }}"}},
    draft={"model": "anthropic:sim-mid", "prompt": "Draft: {{ classify }}"},
)
FRAIL = {
    **noting({"effect": "frail.put", "args": {"topic": "{{ classify }}"}}),
    "policy": {"usd_per_second": "1"},
}


def slowly(classify: str) -> list[dict[str, Any]]:
    """The draft is long written, and staged, when the classification comes."""
    return [
        {"match": "^Classify", "reply": classify, "ttft_ms": 1500},
        {"match": "^Draft", "reply": "Dear customer", "ttft_ms": 50, "tokens_per_second": 500},
    ]


def states(stack: Stack, handle: Handle) -> list[str]:
    """What the drafts of a run are by now."""
    return sorted(row["state"] for row in stack.drafts(handle.id))


async def until_staged(stack: Stack, handle: Handle) -> None:
    """Wait until a draft is there that nobody but the sink sees."""
    while states(stack, handle) != ["staged"]:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.02)


async def started(stack: Stack, runs: list[Handle], spec: dict[str, Any]) -> Handle:
    """A run that has staged its draft."""
    handle = await stack.start(spec)
    runs.append(handle)
    await until_staged(stack, handle)
    return handle


async def test_what_is_staged_on_a_right_guess_is_committed_once(
    stack: Stack, runs: list[Handle]
) -> None:
    """It is staged while its ancestry is a guess, and becomes the one draft when it is approved."""
    stack.standin.set_rules(slowly("billing"))
    handle = await started(stack, runs, NOTE)
    story = await Story.of(handle)
    assert story.ended("classify") is None
    pending = await until_pending(handle)
    assert states(stack, handle) == ["staged"]

    await handle.signal("approve", {**APPROVAL, "digest": pending["intents"][0]["digest"]})
    result = await handle.result()

    (row,) = stack.drafts(handle.id)
    assert (row["state"], row["approved_by"]) == ("committed", "ann")
    assert result["effects"]["note"]["state"] == "committed"
    story = await Story.of(handle)
    (stage,) = story.ahead("note")
    assert story.outcomes()[stage] == "promoted"
    assert "note" not in story.activity_ids()
    assert not any(id.startswith("discard:") for id in story.activity_ids())
    check_ledger(result["ledger"])


async def test_what_is_staged_on_a_wrong_guess_is_discarded(
    stack: Stack, runs: list[Handle]
) -> None:
    """The draft of what really came is committed; of the other one not even its text is left."""
    stack.standin.set_rules(slowly("bug"))
    handle = await started(stack, runs, NOTE)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    rows = {row["state"]: row for row in stack.drafts(handle.id)}
    assert sorted(rows) == ["committed", "discarded"]
    assert rows["discarded"]["arguments"] is None
    assert '"title":"bug"' in rows["committed"]["arguments"]
    assert result["effects"]["note"]["state"] == "committed"
    story = await Story.of(handle)
    assert story.outcomes()[story.ahead("note")[0]] == "discarded"


async def test_a_rejected_effect_leaves_no_stage(stack: Stack, runs: list[Handle]) -> None:
    """The guess was right and its stage claimed, but nobody wants the effect."""
    stack.standin.set_rules(slowly("billing"))
    handle = await started(stack, runs, NOTE)
    await until_pending(handle)
    await handle.signal("reject", {"node": "note", "by": "bob"})

    result = await handle.result()

    assert result["effects"]["note"]["state"] == "rejected"
    assert states(stack, handle) == ["discarded"]
    story = await Story.of(handle)
    assert story.outcomes()[story.ahead("note")[0]] == "discarded"
    assert "note was rejected" in [outcome["reason"] for outcome in story.of_kind("outcome")]
    check_ledger(result["ledger"])
    assert (await audit(story.history)).violations == ()


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_cancelled_run_leaves_no_stage(
    stack: Stack, runs: list[Handle], claimed: bool
) -> None:
    """Whether its guess was still open, or its intent already waited for people."""
    stack.standin.set_rules(slowly("billing"))
    handle = await started(stack, runs, NOTE)
    if claimed:
        await until_pending(handle)
    await handle.cancel()

    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert states(stack, handle) == ["discarded"]


async def test_the_stop_switch_discards_what_is_staged(stack: Stack, runs: list[Handle]) -> None:
    """Nobody has claimed it yet; the commit does without it."""
    stack.standin.set_rules(slowly("billing"))
    handle = await started(stack, runs, NOTE)
    await handle.execute_update("set_policy", {"budget_usd": "0"})
    while states(stack, handle) != ["discarded"]:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await handle.signal("approve", APPROVAL)

    await handle.result()

    assert states(stack, handle) == ["committed"]


async def test_a_stage_that_fails_changes_nothing(stack: Stack, runs: list[Handle]) -> None:
    """Its dollars are wasted and written down, it is discarded, and the effect is committed."""
    stack.standin.set_rules(answers("billing", ttft_ms=900))
    handle = await stack.start(FRAIL)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    assert result["effects"]["note"]["receipt"] == {"topic": "billing"}
    story = await Story.of(handle)
    assert story.outcomes() == {story.ahead("note")[0]: "failed"}
    assert [stage.intent for stage in DISCARDED if stage.workflow_id == handle.id] == ["note"]
    assert number(result["ledger"]["wasted_usd"]) == number("0.01")
    check_ledger(result["ledger"])


@pytest.mark.parametrize(("answer", "state"), [("approve", "committed"), ("reject", "rejected")])
async def test_nobody_waits_for_a_stage(
    stack: Stack, runs: list[Handle], answer: str, state: str
) -> None:
    """One that is still being made when its intent has ended is cut, and discarded."""
    stack.standin.set_rules(answers("billing", ttft_ms=300))
    handle = await stack.start(noting({"effect": "slow.put", "args": {"topic": "{{ classify }}"}}))
    runs.append(handle)
    await handle.signal(answer, APPROVAL)

    result = await handle.result()

    assert result["effects"]["note"]["state"] == state
    story = await Story.of(handle)
    assert story.outcomes() == {story.ahead("note")[0]: "cut"}
    (outcome,) = story.of_kind("outcome")
    assert outcome["reason"] == f"note was {state} first"
    assert [stage.intent for stage in DISCARDED if stage.workflow_id == handle.id] == ["note"]


async def test_every_item_has_a_stage_of_its_own(stack: Stack, runs: list[Handle]) -> None:
    """A guessed list is staged item by item; the items that it did not have are discarded."""
    guess = [{"from": "value", "value": ["a", "b", "c"], "p": 0.9}]
    notes: dict[str, Any] = {
        "plan": {
            "tool": "echo",
            "args": {"value": ["a", "b"], "seconds": 1.5},
            "guess": guess,
            "estimate": {"seconds": 2},
        },
        "note": {
            "effect": "drafts.put",
            "for_each": "{{ plan }}",
            "args": {"title": "{{ item }}", "body": "-"},
        },
    }
    handle = await stack.start({"version": 1, "nodes": notes})
    runs.append(handle)
    for index in range(2):
        await handle.signal("approve", {"node": f"note[{index}]", "by": "ann"})

    await handle.result()

    found = {row["intent"]: row["state"] for row in stack.drafts(handle.id)}
    assert found == {"note[0]": "committed", "note[1]": "committed", "note[2]": "discarded"}
    story = await Story.of(handle)
    assert sorted(story.outcomes().values()) == ["discarded", "promoted", "promoted"]


async def test_commit_workers_sweep_from_their_start(stack: Stack) -> None:
    """Nobody has to ask them to, and no run is needed for it."""
    swept = await stack.client.get_activity_handle(SWEEP_ID, result_type=Swept).result()

    assert swept.discarded >= 0
