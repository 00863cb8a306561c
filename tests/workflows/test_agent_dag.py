"""`AgentDag` on a real server: what is launched, claimed, cut, committed and written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import Replayer

from forerun.speculation.quantities import number
from forerun.workers.plugin import forerun_plugin
from forerun.workflows.agent_dag import AgentDag
from tests.harness import Stack, Story, check_ledger

Handle = Any
"""A `WorkflowHandle`: the SDK's overloads by name leave its types unknown."""

CLASSIFY = {
    "model": "openai:sim-mid",
    "prompt": "Classify: {{ input.email }}",
    "choices": ["billing", "bug", "sales"],
    "guess": [{"from": "value", "value": "billing", "p": 0.6}],
    "estimate": {"seconds": 2},
}
AUTO_REPLY: dict[str, Any] = {
    "version": 1,
    "workload": "auto-reply",
    "input": {"email": "My invoice is wrong", "from": "a@example.com"},
    "nodes": {
        "classify": CLASSIFY,
        "lookup": {"tool": "kb.search", "args": {"topic": "{{ classify }}"}},
        "draft": {
            "model": "anthropic:sim-mid",
            "prompt": "Draft: {{ classify }} {{ lookup.text }}",
            "max_output_tokens": 300,
        },
        "send": {
            "effect": "outbox.put",
            "args": {"to": "{{ input.from }}", "body": "{{ draft }}"},
        },
    },
}
APPROVAL = {"node": "send", "by": "ann"}


def answers(classify: str, *, ttft_ms: int = 600) -> list[dict[str, Any]]:
    """Classify takes a while; the draft takes longer than a test would like to wait twice."""
    return [
        {"match": "^Classify", "reply": classify, "ttft_ms": ttft_ms, "tokens_per_second": 500},
        {
            "match": "^Draft",
            "reply": "Dear customer, " * 40,
            "ttft_ms": 50,
            "tokens_per_second": 150,
        },
    ]


def with_policy(spec: dict[str, Any], **policy: Any) -> dict[str, Any]:
    """`spec` under another policy."""
    return {**spec, "policy": policy}


async def replayed(handle: Handle) -> None:
    """The run's history replays with the code of today."""
    history = await handle.fetch_history()
    await Replayer(workflows=[AgentDag], plugins=[forerun_plugin()]).replay_workflow(history)


@pytest.fixture
async def runs(stack: Stack) -> AsyncIterator[list[Handle]]:
    """Runs whose histories are to replay and to keep every invariant, whatever the test was about."""
    handles: list[Handle] = []
    yield handles
    for handle in handles:
        (await Story.of(handle)).check()
        await replayed(handle)


async def test_a_right_guess_is_promoted_and_nothing_runs_twice(
    stack: Stack, runs: list[Handle]
) -> None:
    """Downstream calls start before the upstream ends, after a decision, and become the answer."""
    stack.standin.set_rules(answers("billing"))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    story = await Story.of(handle)
    (ahead,) = story.ahead("draft")
    started, classified = story.scheduled(ahead), story.ended("classify")
    assert started is not None
    assert classified is not None
    assert started.event_id < classified.event_id
    assert set(story.outcomes().values()) == {"promoted"}
    assert [r["user"].split(":")[0] for r in stack.standin.requests()] == ["Classify", "Draft"]
    assert result["ledger"]["saved_seconds"] > 0
    assert result["last_record"] == story.records[-1]["sha256"]


async def test_a_wrong_guess_is_cut_mid_stream_and_written_down(
    stack: Stack, runs: list[Handle]
) -> None:
    """The provider sees the disconnect; the result is that of the right input; the waste is known."""
    stack.standin.set_rules(answers("bug"))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    cut, right = [r for r in stack.standin.requests() if r["user"].startswith("Draft")]
    assert (cut["outcome"], right["outcome"]) == ("disconnected", "completed")
    assert right["user"].startswith("Draft: bug")
    assert result["outputs"]["classify"] == "bug"
    story = await Story.of(handle)
    (outcome,) = [o for o in story.of_kind("outcome") if o["node"] == "draft"]
    assert outcome["outcome"] == "cut"
    low, best, high = (number(outcome[f"{which}_usd"]) for which in ("low", "best", "high"))
    assert 0 < low <= best <= high
    assert number(result["ledger"]["wasted_usd"]) == best
    check_ledger(result["ledger"])


async def test_speculation_changes_nothing_but_time_and_dollars(
    stack: Stack, runs: list[Handle]
) -> None:
    """Outputs and effects are those of the same run without speculation, right guess or wrong."""
    results: list[dict[str, Any]] = []
    for reply in ("billing", "bug"):
        for budget in ("0", "0.5"):
            stack.standin.set_rules(answers(reply, ttft_ms=300))
            handle = await stack.start(with_policy(AUTO_REPLY, budget_usd=budget))
            runs.append(handle)
            await handle.signal("approve", APPROVAL)
            results.append(await handle.result())

    for off, on in (results[:2], results[2:]):
        assert off["outputs"] == on["outputs"]
        assert off["ledger"]["speculations"]["launched"] == 0
        assert on["ledger"]["speculations"]["launched"] == 2
    assert [len(stack.rows(handle.id)) for handle in runs] == [1, 1, 1, 1]


async def test_every_guess_is_tested_even_if_nothing_was_bet_on_it(
    stack: Stack, runs: list[Handle]
) -> None:
    """A held bet leaves its reason, and whether it would have been right."""
    stack.standin.set_rules(answers("billing", ttft_ms=100))
    spec = with_policy(AUTO_REPLY, usd_per_second="0.0000001")
    handle = await stack.start(spec)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)
    await handle.result()

    story = await Story.of(handle)
    (decision,) = story.of_kind("decision")
    assert (decision["verdict"], decision["reason"]) == ("hold", "EV below threshold")
    (guess,) = story.of_kind("guess")
    assert (guess["right"], guess["tier"], guess["launched"]) == (True, 1, False)


async def test_nothing_is_committed_before_a_signal_names_it(
    stack: Stack, runs: list[Handle]
) -> None:
    """The gate shows what it would commit; others' approvals and malformed ones open nothing."""
    stack.standin.set_rules(answers("billing", ttft_ms=50))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("approve", {"node": "another", "by": "ann"})
    await handle.signal("approve", "send")
    pending = await _pending(handle)

    assert stack.rows(handle.id) == []
    (intent,) = pending["intents"]
    assert (intent["intent"], intent["arguments"]["to"]) == ("send", "a@example.com")
    assert pending["malformed_count"] == 1
    await handle.signal("approve", {**APPROVAL, "digest": intent["digest"]})
    result = await handle.result()

    (row,) = stack.rows(handle.id)
    assert row["approved_by"] == "ann"
    assert result["effects"]["send"]["state"] == "committed"
    assert "send" not in result["outputs"]


async def test_a_rejected_effect_ends_the_run_normally(stack: Stack, runs: list[Handle]) -> None:
    """Its descendants are skipped, and nothing is committed."""
    stack.standin.set_rules(answers("billing", ttft_ms=50))
    nodes = {
        **AUTO_REPLY["nodes"],
        "log": {"tool": "echo", "args": {"value": "{{ send }}"}},
    }
    handle = await stack.start({**AUTO_REPLY, "nodes": nodes})
    runs.append(handle)
    await handle.signal("reject", {"node": "send", "by": "bob"})

    result = await handle.result()

    assert result["effects"] == {"send": {"state": "rejected", "by": "bob", "receipt": None}}
    assert result["skipped"] == ["log"]
    assert stack.rows(handle.id) == []


async def test_an_approval_can_expire(stack: Stack, runs: list[Handle]) -> None:
    """Nobody answers in time: expired, not committed, not failed."""
    spec = {
        "version": 1,
        "nodes": {
            "send": {
                "effect": "outbox.put",
                "args": {"to": "a", "body": "b"},
                "approval_timeout_seconds": 1,
            }
        },
    }
    handle = await stack.start(spec)
    runs.append(handle)

    assert (await handle.result())["effects"]["send"]["state"] == "expired"
    assert stack.rows(handle.id) == []


async def test_a_failing_node_stops_only_its_descendants(stack: Stack, runs: list[Handle]) -> None:
    """Everything else finishes, effects included; the error names the node and carries the rest."""
    stack.standin.set_rules([{"match": "broken", "fault": "500"}, {"match": ".", "reply": "fine"}])
    spec = {
        "version": 1,
        "nodes": {
            "bad": {"model": "openai:sim-mid", "prompt": "broken", "retries": 0},
            "after": {"tool": "echo", "args": {"value": "{{ bad }}"}},
            "good": {"model": "openai:sim-mid", "prompt": "whole"},
            "send": {"effect": "outbox.put", "args": {"to": "x", "body": "{{ good }}"}},
        },
    }
    handle = await stack.start(spec)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()

    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.message.startswith("failed nodes: bad")
    (details,) = cause.details
    assert details["outputs"] == {"good": "fine"}
    assert details["effects"]["send"]["state"] == "committed"
    assert details["skipped"] == ["after"]
    assert len(stack.rows(handle.id)) == 1


@pytest.mark.parametrize("fault", ["429", "500", "reset", "truncate", "sse_error"])
async def test_authoritative_work_recovers_from_provider_faults(
    stack: Stack, runs: list[Handle], fault: str
) -> None:
    """One fault costs a retry; what the broken attempt cost is in the ledger."""
    stack.standin.set_rules(
        [
            {
                "match": "^Say",
                "fault": fault,
                "times": 1,
                "reply": "word " * 20,
                "tokens_per_second": 400,
            },
            {"match": "^Say", "reply": "fine"},
        ]
    )
    spec = {"version": 1, "nodes": {"say": {"model": "openai:sim-mid", "prompt": "Say fine"}}}
    handle = await stack.start(spec)
    runs.append(handle)

    result = await handle.result()

    assert result["outputs"] == {"say": "fine"}
    assert len(stack.standin.requests()) == 2
    check_ledger(result["ledger"])


async def test_a_speculation_that_fails_just_loses_its_bet(
    stack: Stack, runs: list[Handle]
) -> None:
    """The provider fails the speculative draft; the need runs as an ordinary call."""
    failing = {"match": "^Draft", "fault": "500", "times": 1}
    stack.standin.set_rules([failing, *answers("billing", ttft_ms=500)])
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    story = await Story.of(handle)
    assert story.outcomes()[story.ahead("draft")[0]] == "failed"
    assert result["outputs"]["draft"].startswith("Dear customer")


async def test_branches_skip_and_is_defined_tolerates(stack: Stack, runs: list[Handle]) -> None:
    """A false `when` skips the node and what uses it, unless that asks `is defined`."""
    spec = {
        "version": 1,
        "nodes": {
            "route": {"tool": "echo", "args": {"value": "billing"}},
            "escalate": {
                "tool": "echo",
                "args": {"value": "to people"},
                "when": "{{ route == 'bug' }}",
            },
            "page": {"tool": "echo", "args": {"value": "{{ escalate }}"}},
            "close": {
                "tool": "echo",
                "args": {"value": "{{ escalate if escalate is defined else route }}"},
            },
        },
    }
    handle = await stack.start(spec)
    runs.append(handle)

    result = await handle.result()

    assert result["outputs"] == {"route": "billing", "close": "billing"}
    assert result["skipped"] == ["escalate", "page"]


async def test_a_branch_runs_ahead_only_where_the_guess_takes_it(
    stack: Stack, runs: list[Handle]
) -> None:
    """`when` is judged with the guessed value: the branch not taken is never launched."""
    stack.standin.set_rules(answers("bug", ttft_ms=400))
    branch = {
        "model": "openai:sim-mid",
        "prompt": "Draft: {{ classify }}",
        "max_output_tokens": 400,
    }
    spec = {
        **AUTO_REPLY,
        "nodes": {
            "classify": CLASSIFY,
            "pay": {**branch, "when": "{{ classify == 'billing' }}"},
            "fix": {**branch, "when": "{{ classify == 'bug' }}"},
        },
    }
    handle = await stack.start(spec)
    runs.append(handle)

    result = await handle.result()

    story = await Story.of(handle)
    assert len(story.ahead("pay")) == 1
    assert story.ahead("fix") == []
    assert result["skipped"] == ["pay"]
    assert set(story.outcomes().values()) == {"cut"}


async def test_a_verifier_is_overtaken_by_what_follows_it(stack: Stack, runs: list[Handle]) -> None:
    """Source `node`: the draft is the guess of what the verifier will pass on."""
    stack.standin.set_rules(
        [
            {"match": "^Write", "reply": "A fine draft.", "ttft_ms": 50},
            {"match": "^Check", "reply": "A fine draft.", "ttft_ms": 900},
            {"match": "^Headline", "reply": "Fine!", "ttft_ms": 600},
        ]
    )
    spec = {
        "version": 1,
        "nodes": {
            "draft": {"model": "openai:sim-mid", "prompt": "Write", "estimate": {"seconds": 0.2}},
            "verify": {
                "model": "openai:sim-large",
                "prompt": "Check {{ draft }}",
                "guess": [{"from": "node", "node": "draft", "p": 0.7}],
                "estimate": {"seconds": 4},
            },
            "headline": {"model": "openai:sim-mid", "prompt": "Headline {{ verify }}"},
        },
    }
    handle = await stack.start(spec)
    runs.append(handle)

    result = await handle.result()

    story = await Story.of(handle)
    (ahead,) = story.ahead("headline")
    assert story.outcomes() == {ahead: "promoted"}
    assert result["outputs"]["headline"] == "Fine!"


async def test_a_read_that_is_too_old_is_not_promoted(stack: Stack, runs: list[Handle]) -> None:
    """`max_age_seconds` of kb.search is 60: younger results are claimed, see the other tests."""
    stack.standin.set_rules(answers("billing", ttft_ms=200))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("approve", APPROVAL)
    await handle.result()

    opening = (await Story.of(handle)).of_kind("opening")[0]
    assert opening["operations"]["kb.search"]["max_age_seconds"] == 60


async def test_a_cancelled_run_still_settles_everything(stack: Stack, runs: list[Handle]) -> None:
    """Live speculations are cut, joined and written down before the run closes as cancelled."""
    stack.standin.set_rules(answers("billing", ttft_ms=60_000))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await _running_ahead(handle, "draft")
    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()

    assert isinstance(failure.value.cause, CancelledError)
    story = await Story.of(handle)
    assert story.outcomes()[story.ahead("draft")[0]] == "cut"
    await stack.standin.idle()
    assert {r["outcome"] for r in stack.standin.requests()} == {"disconnected"}


async def test_runs_can_be_found_by_what_they_cost_and_wait_for(
    stack: Stack, runs: list[Handle]
) -> None:
    """Search attributes: the workload at once, the gate while it waits, the totals at the end."""
    stack.standin.set_rules(answers("bug", ttft_ms=300))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await _pending(handle)
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
    await _running_ahead(handle, "draft")
    policy: Any = await handle.execute_update("set_policy", {"budget_usd": "0"})
    await handle.signal("approve", APPROVAL)
    await handle.result()

    story = await Story.of(handle)
    assert policy["budget_usd"] == "0"
    assert story.outcomes()[story.ahead("draft")[0]] == "cut"
    (outcome,) = [o for o in story.of_kind("outcome") if o["node"] == "draft"]
    assert outcome["reason"] == "the budget is 0"
    assert "draft" in story.activity_ids()


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


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("not a spec", "JSON object"),
        ({"version": 1}, "nodes"),
        ({"version": 1, "nodes": {"a": {"tool": "kb.serch"}}}, "nodes.a.tool"),
        ({"version": 1, "nodes": {"a": {"tool": "outbox.put"}}}, "nodes.a.tool"),
        ({"version": 1, "nodes": {"a": {"tool": "echo", "args": {"valeu": 1}}}}, "nodes.a.args"),
        (
            {"version": 1, "nodes": {"a": {"model": "openai:x", "prompt": "{{ b }}"}}},
            "nodes.a.prompt",
        ),
    ],
)
async def test_a_bad_spec_fails_the_run_with_one_line(
    stack: Stack, spec: object, words: str
) -> None:
    """It never hangs in workflow task retries, and says where and how to fix it."""
    handle = await stack.start(spec)

    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()

    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.non_retryable) == ("InvalidSpec", True)
    assert words in cause.message
    assert "\n" not in cause.message


async def test_no_argument_and_two_arguments_are_one_line_too(stack: Stack) -> None:
    """The Temporal CLI lets users start a run with any number of inputs."""
    for arguments in ([], [AUTO_REPLY, AUTO_REPLY]):
        handle = await stack.client.start_workflow(
            "AgentDag", args=arguments, id=f"args-{len(arguments)}", task_queue="forerun"
        )
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), 20)


async def test_a_wide_fan_out_stays_within_the_servers_limits(
    stack: Stack, runs: list[Handle]
) -> None:
    """150 calls with 20 KB of arguments each start over several workflow tasks, and all end.

    Their outputs are more than a result may hold: the rest is named by its digest.
    """
    nodes: dict[str, Any] = {
        f"n{i}": {"tool": "echo", "args": {"value": f"{{{{ input.text }}}} {i}"}}
        for i in range(150)
    }
    handle = await stack.start({"version": 1, "input": {"text": "x" * 20_000}, "nodes": nodes})
    runs.append(handle)

    result = await handle.result()

    assert len(result["outputs"]) == 150
    assert 0 < str(result["outputs"]).count("omitted_bytes") < 150


async def test_signals_that_no_json_could_hold_are_kept_and_harmless(
    stack: Stack, runs: list[Handle]
) -> None:
    """Bytes and NaN reach the handler; neither may fail the workflow task."""
    spec = {
        "version": 1,
        "nodes": {"send": {"effect": "outbox.put", "args": {"to": "a", "body": "b"}}},
    }
    handle = await stack.start(spec)
    runs.append(handle)
    for payload in (b"\xff\x00", {"node": "send", "by": "x", "note": float("nan")}, None):
        await handle.signal("approve", payload)
    pending = await _pending(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    assert pending["malformed_count"] == 3
    assert result["effects"]["send"]["by"] == "ann"


async def test_many_large_commits_leave_in_several_tasks(stack: Stack, runs: list[Handle]) -> None:
    """Twelve approved effects of 200 KB: the server would refuse them in one message."""
    nodes: dict[str, Any] = {
        "text": {"tool": "echo", "args": {"value": "x" * 200_000, "seconds": 0.5}}
    }
    for i in range(12):
        nodes[f"send{i}"] = {"effect": "outbox.put", "args": {"to": f"{i}", "body": "{{ text }}"}}
    handle = await stack.start({"version": 1, "nodes": nodes})
    runs.append(handle)
    for i in range(12):
        await handle.signal("approve", {"node": f"send{i}", "by": "ann"})

    result = await handle.result()

    assert {effect["state"] for effect in result["effects"].values()} == {"committed"}
    assert len(stack.rows(handle.id)) == 12


async def _pending(handle: Handle) -> dict[str, Any]:
    """The gate's view, once something waits."""
    while True:
        pending = await handle.query("pending")
        if pending["intents"]:
            return pending
        await asyncio.sleep(0.05)


async def _running_ahead(handle: Handle, node: str) -> None:
    """Wait until a speculation on `node` is under way."""
    while True:
        ledger = await handle.query("ledger")
        if any(s["node"] == node and s["running"] for s in ledger.get("ahead", ())):
            return
        await asyncio.sleep(0.05)
