"""What an operator does to live runs, and how he finds them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from forerun.workers.audit.auditor import audit
from forerun.workflows import messages
from tests.harness import Stack, Story
from tests.workflows.auto_reply import (
    APPROVAL,
    AUTO_REPLY,
    Handle,
    answers,
    until_pending,
    until_running_ahead,
)

StartOperation: Any = WithStartWorkflowOperation


async def test_runs_can_be_found_by_what_they_cost_and_wait_for(
    stack: Stack, runs: list[Handle]
) -> None:
    """Search attributes: the workload at once, the gate while it waits, the totals at the end."""
    stack.standin.set_rules(answers("bug", ttft_ms=300))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await until_pending(handle)
    waiting = (await handle.describe()).search_attributes
    await handle.signal("approve", APPROVAL)
    result = await handle.result()
    ended = (await handle.describe()).search_attributes

    assert waiting["ForerunWorkload"] == ["auto-reply"]
    assert waiting["ForerunAwaiting"] == ["send"]
    assert "ForerunAwaiting" not in ended
    assert ended["ForerunWastedUsd"] == [float(result["ledger"]["wasted_usd"])]
    assert ended["ForerunSpentUsd"] == [float(result["ledger"]["spent_usd"])]
    assert ended["ForerunSavedSeconds"] == [result["ledger"]["saved_seconds"]]


async def test_budget_zero_is_the_stop_switch(stack: Stack, runs: list[Handle]) -> None:
    """On a live run it cuts every unclaimed speculation at once and launches no more."""
    stack.standin.set_rules(answers("billing", ttft_ms=1500))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await until_running_ahead(handle, "draft")
    policy: Any = await handle.execute_update("set_policy", {"budget_usd": "0"})
    await handle.signal("approve", APPROVAL)
    await handle.result()

    story = await Story.of(handle)
    assert policy["budget_usd"] == "0"
    assert story.outcomes()[story.ahead("draft")[0]] == "cut"
    (outcome,) = [o for o in story.of_kind("outcome") if o["node"] == "draft"]
    assert outcome["reason"] == "the budget is 0"
    assert "draft" in story.activity_ids()


async def test_dials_that_come_with_the_start_are_turned(stack: Stack, runs: list[Handle]) -> None:
    """An update in the very first workflow task changes the spec's policy, not the other way."""
    stack.standin.set_rules(answers("billing", ttft_ms=300))
    client: Any = stack.client
    start = StartOperation(
        "AgentDag",
        AUTO_REPLY | {"policy": {"alpha": 0.25, "budget_usd": "1"}},
        id=f"t-{uuid4()}",
        task_queue="forerun",
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    policy = await client.execute_update_with_start_workflow(
        "set_policy", {"budget_usd": "0"}, start_workflow_operation=start
    )
    handle: Handle = await start.workflow_handle()
    runs.append(handle)
    await handle.signal("approve", APPROVAL)
    await handle.result()

    story = await Story.of(handle)
    assert (policy["alpha"], policy["budget_usd"]) == ("0.25", "0")
    assert story.of_kind("opening")[0]["policy"]["budget_usd"] == "0"
    assert not story.outcomes()
    assert (await audit(story.history)).violations == ()


@pytest.mark.parametrize(
    "update",
    [
        {"alpha": 2},
        {"alpha": True},
        {"budget": 1},
        "0",
        {"usd_per_second": "much"},
        {"usd_per_second": "9.9e999999"},
        {"budget_usd": "1e13"},
        {},
    ],
)
async def test_a_bad_policy_is_rejected_without_a_trace(
    stack: Stack, runs: list[Handle], update: object
) -> None:
    """The validator answers with one line; history does not know of it."""
    handle = await stack.start(
        {
            "version": 1,
            "nodes": {"send": {"effect": "outbox.put", "args": {"to": "a", "body": "b"}}},
        }
    )
    runs.append(handle)

    with pytest.raises(Exception, match="Workflow update failed") as failure:
        await handle.execute_update("set_policy", update)

    assert "set_policy: " in str(failure.value.__cause__)
    await handle.signal("approve", APPROVAL)
    await handle.result()


async def test_decisions_come_in_pages(
    stack: Stack, runs: list[Handle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long run has more records than one answer may hold; each page goes on where one ended."""
    stack.standin.set_rules(answers("billing", ttft_ms=300))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)
    await handle.result()
    whole = await handle.query("decisions")
    monkeypatch.setattr(messages, "RECORD_BYTES", 4_000)

    pages: list[list[dict[str, Any]]] = []
    while page := await handle.query("decisions", sum(map(len, pages))):
        pages.append(page)

    assert len(pages) > 1
    assert [record for page in pages for record in page] == whole
    assert whole == (await Story.of(handle)).records
