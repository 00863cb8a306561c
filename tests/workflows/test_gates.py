"""Effects wait for people: what opens a gate, what closes it, what does nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from forerun.workers.cli.gate import show_pending
from tests.harness import Stack
from tests.workflows.auto_reply import (
    APPROVAL,
    AUTO_REPLY,
    Handle,
    answers,
    deciding,
    until_pending,
)


async def test_nothing_is_committed_before_a_signal_names_it(
    stack: Stack, runs: list[Handle]
) -> None:
    """The gate shows what it would commit; others' approvals and malformed ones open nothing."""
    stack.standin.set_rules(answers("billing", ttft_ms=50))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("approve", {"node": "another", "by": "ann"})
    await handle.signal("approve", "send")
    pending = await until_pending(handle)

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


@pytest.mark.parametrize("first", ["approve", "reject"])
async def test_the_first_answer_counts_also_before_the_run_has_begun(
    stack: Stack, runs: list[Handle], first: str
) -> None:
    """Both come before there is a worker for the run; nothing is asked of the commit worker in vain."""
    second = "reject" if first == "approve" else "approve"
    queue = f"later-{uuid.uuid4()}"
    send = {"effect": "outbox.put", "args": {"to": "a@example.com", "body": "x"}}
    spec = {"version": 1, "nodes": {"send": send}}
    handle = await stack.start(spec, task_queue=queue)
    runs.append(handle)
    await handle.signal(first, {"node": "send", "by": "ann"})
    await handle.signal(second, {"node": "send", "by": "bob"})

    async with deciding(stack, queue):
        result = await handle.result()

    state = "committed" if first == "approve" else "rejected"
    assert (result["effects"]["send"]["state"], result["effects"]["send"]["by"]) == (state, "ann")
    assert len(stack.rows(handle.id)) == (first == "approve")


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
    pending = await until_pending(handle)
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


async def test_two_people_means_two_people(
    stack: Stack, runs: list[Handle], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same name twice counts once, and the gate shows who has approved."""
    spec = {"version": 1, "nodes": {"send": {"effect": "wire.put", "args": {"topic": "all"}}}}
    handle = await stack.start(spec)
    runs.append(handle)
    (waiting,) = (await until_pending(handle))["intents"]
    assert (waiting["approvals"], waiting["approved_by"]) == (2, [])

    await handle.signal("approve", {**APPROVAL, "digest": waiting["digest"]})
    await handle.signal("approve", {"node": "send", "by": "  Ann ", "digest": waiting["digest"]})
    (waiting,) = (await handle.query("pending"))["intents"]
    assert waiting["approved_by"] == ["ann"]
    assert [signal["by"] for signal in waiting["ignored"]] == ["  Ann "]
    await show_pending(stack.client, handle.id)
    assert "needs 2 people; approved by ann" in capsys.readouterr().out
    await handle.signal("approve", {"node": "send", "by": "ben"})

    result = await handle.result()

    assert result["effects"]["send"]["state"] == "committed"
    assert result["effects"]["send"]["receipt"] == {"approved_by": "ann, ben"}


async def test_the_command_shows_what_decided_nothing(
    stack: Stack, runs: list[Handle], capsys: pytest.CaptureFixture[str]
) -> None:
    """For another intent, of no form, or too late: one line each, the first few of a kind."""
    send = {"effect": "outbox.put", "args": {"to": "a", "body": "b"}}
    handle = await stack.start({"version": 1, "nodes": {"send": send, "wait": send}})
    runs.append(handle)
    for n in range(7):
        await handle.signal("approve", f"\x1b[2J{n}")
    await handle.signal("approve", {"node": "another", "by": "eve"})
    await handle.signal("approve", APPROVAL)
    while len((await until_pending(handle))["intents"]) > 1:
        continue
    await handle.signal("reject", {"node": "send", "by": "bob"})

    await show_pending(stack.client, handle.id)

    shown = capsys.readouterr().out
    assert "early: approve another by eve" in shown
    assert "late: reject send by bob (came after the decision)" in shown
    assert shown.count("malformed: approve ") == 5
    assert "malformed: and 2 more" in shown
    assert "\x1b" not in shown
    await handle.signal("reject", {"node": "wait", "by": "bob"})
    await handle.result()
