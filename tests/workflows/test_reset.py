"""After a reset everything may come out otherwise; what people have approved stays what it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from forerun.workers.audit.auditor import audit
from tests.harness import Stack, Story
from tests.resets import reset
from tests.workflows.auto_reply import (
    APPROVAL,
    AUTO_REPLY,
    Handle,
    answers,
    until_pending,
    until_running_ahead,
)

SPEC: dict[str, Any] = {
    "version": 1,
    "nodes": {
        "draft": {"model": "openai:sim-mid", "prompt": "Draft"},
        "send": {"effect": "outbox.put", "args": {"to": "a", "body": "{{ draft }}"}},
        "wire": {"effect": "drafts.put", "args": {"title": "t", "body": "{{ draft }}"}},
    },
}


def drafting(stack: Stack, text: str) -> None:
    """From now on the model answers so."""
    stack.standin.set_rules([{"match": "^Draft", "reply": text, "tokens_per_second": 10_000}])


async def started_over(stack: Stack, handle: Handle) -> Handle:
    """The run that starts over after the first workflow task; it gets the signals of the old one."""
    events: list[Any] = (await handle.fetch_history()).events
    done: list[Any] = [e for e in events if e.HasField("workflow_task_completed_event_attributes")]
    run_id = await reset(stack.client, handle.id, handle.first_execution_run_id, done[0].event_id)
    return stack.client.get_workflow_handle(handle.id, run_id=run_id, result_type=dict)


async def both_pending(handle: Handle) -> dict[str, dict[str, Any]]:
    """The two intents, once they wait."""
    while len((pending := await until_pending(handle))["intents"]) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return {waiting["intent"]: waiting for waiting in pending["intents"]}


async def test_an_approval_before_a_reset_covers_only_what_it_named(
    stack: Stack, runs: list[Handle]
) -> None:
    """The draft comes out otherwise: who had approved the old one has not approved this one."""
    drafting(stack, "old")
    first = await stack.start(SPEC)
    named = {it: view["digest"] for it, view in (await both_pending(first)).items()}
    await first.signal("approve", {"node": "send", "by": "ann", "digest": named["send"]})
    while not stack.rows(first.id):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    drafting(stack, "new")

    again = await started_over(stack, first)
    runs.append(again)
    waiting = await both_pending(again)

    assert waiting["send"]["arguments"]["body"] == "new"
    assert [it["by"] for it in waiting["send"]["ignored"]] == ["ann"]
    assert "approves digest" in waiting["send"]["ignored"][0]["why"]
    (row,) = stack.rows(first.id)
    assert '"old"' in row["arguments"]
    for intent in ("send", "wire"):
        await again.signal("reject", {"node": intent, "by": "bob"})
    result = await again.result()

    assert {effect["state"] for effect in result["effects"].values()} == {"rejected"}
    assert len(stack.rows(first.id)) == 1


@pytest.mark.parametrize("text", ["old", "new"])
async def test_what_was_committed_before_a_reset_is_not_committed_again(
    stack: Stack, runs: list[Handle], text: str
) -> None:
    """The same arguments get the first receipt; others under a blind approval are an error."""
    drafting(stack, "old")
    first = await stack.start(SPEC)
    await first.signal("approve", {"node": "send", "by": "ann"})
    await first.signal("reject", {"node": "wire", "by": "ann"})
    before = await first.result()
    drafting(stack, text)

    again = await started_over(stack, first)
    runs.append(again)
    ended: dict[str, Any] = {}
    why = ""
    try:
        ended = await again.result()
    except WorkflowFailureError as failure:
        why = str(failure.cause)

    assert len(stack.rows(first.id)) == 1
    if text == "old":
        assert ended["effects"]["send"] == before["effects"]["send"]
    else:
        assert "was committed with digest" in why


async def test_dials_turned_before_a_reset_are_turned_again(
    stack: Stack, runs: list[Handle]
) -> None:
    """The server gives the update to the new run, which bets by it and says so; audit follows."""
    stack.standin.set_rules(answers("billing", ttft_ms=1500))
    worthless = {"usd_per_second": "0.0000001"}
    first = await stack.start({**AUTO_REPLY, "policy": worthless})
    await first.execute_update("set_policy", {"usd_per_second": "0.5"})
    await until_running_ahead(first, "draft")

    again = await started_over(stack, first)
    runs.append(again)
    await again.signal("approve", APPROVAL)
    await again.result()

    story = await Story.of(again)
    last = story.of_kind("decision")[-1]
    assert story.outcomes()[story.ahead("draft")[0]] == "promoted"
    assert last["usd_per_second"] == "0.5"
    assert (await audit(story.history)).violations == ()
