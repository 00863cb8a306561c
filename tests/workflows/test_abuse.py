"""Hostile input to a whole run: one clear error, or none at all; never a workflow task that fails."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from tests.harness import Stack, Story
from tests.workflows.auto_reply import APPROVAL, Handle, until_pending
from tests.workflows.hostile import DEEP, IMITATIONS, UNREADABLE, fits, fuzzed
from tests.workflows.specs import spec

SEND = {"effect": "outbox.put", "args": {"to": "a", "body": "b"}}


async def failure(handle: Handle) -> ApplicationError:
    """The error of a run that fails by itself."""
    with pytest.raises(WorkflowFailureError) as raised:
        await asyncio.wait_for(handle.result(), 60)
    assert isinstance(raised.value.cause, ApplicationError)
    return raised.value.cause


async def failed_tasks(handle: Handle) -> list[str]:
    """The workflow tasks that failed, for ever as it were, by their reasons."""
    return [
        event.workflow_task_failed_event_attributes.failure.message
        for event in (await handle.fetch_history()).events
        if event.HasField("workflow_task_failed_event_attributes")
    ]


@pytest.mark.parametrize("raw", [UNREADABLE, DEEP], ids=["encrypted", "nested"])
async def test_a_spec_that_cannot_be_read_fails_the_run_with_one_line(
    stack: Stack, raw: RawValue
) -> None:
    """The SDK alone would fail its workflow task, again and again."""
    error = await failure(await stack.start(raw))

    assert (error.type, error.non_retryable) == ("InvalidSpec", True)
    assert "Unreadable is not JSON" in error.message


@pytest.mark.parametrize("levels", [101, 240, 2_000])
async def test_an_output_that_is_nested_too_deeply_fails_its_node(
    stack: Stack, runs: list[Handle], levels: int
) -> None:
    """A workflow reads 200 levels; more would retry its task for ever."""
    handle = await stack.start(spec(deep={"tool": "deep.read", "args": {"much": levels}}))
    runs.append(handle)

    error = await failure(handle)

    assert "deep.read returned what is not JSON" in error.message
    assert "more than 100 levels" in error.message


async def test_arguments_that_are_nested_too_deeply_fail_their_node(
    stack: Stack, runs: list[Handle]
) -> None:
    """Each part may be as deep as it is allowed to, and all together be deeper."""
    nodes = {
        "deep": {"tool": "deep.read", "args": {"much": 99}},
        "deeper": {"tool": "echo", "args": {"value": [[["{{ deep }}"]]]}},
    }
    handle = await stack.start(spec(**nodes))
    runs.append(handle)

    error = await failure(handle)

    assert "nodes.deeper.args: lists and objects in more than 100 levels" in error.message


async def test_an_error_of_any_length_is_one_short_line(stack: Stack, runs: list[Handle]) -> None:
    """Five megabytes of it are more than a server takes."""
    loud = {"tool": "loud.read", "args": {"much": 5_000_000}, "retries": 0, "timeout_seconds": 20}
    handle = await stack.start(spec(loud=loud))
    runs.append(handle)

    error = await failure(handle)

    assert "loud.read: LookupError: xxx" in error.message
    assert len(error.message) < 500


async def test_two_megabytes_are_refused_or_harmless(stack: Stack, runs: list[Handle]) -> None:
    """As a spec, a signal, an update; the run they are sent to goes on."""
    much = "x" * 1_900_000
    error = await failure(await stack.start({**spec(send=SEND), "input": much}))
    assert "more than 1,000,000 bytes" in error.message
    with pytest.raises(RPCError, match="limit"):
        await stack.start({**spec(send=SEND), "input": much * 2})

    handle = await stack.start(spec(send=SEND))
    runs.append(handle)
    pending = await until_pending(handle)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("set_policy", {"alpha": much})
    for payload in ({"node": much, "by": "ann"}, {**APPROVAL, "note": much, "digest": "x"}, much):
        for name in ("approve", "checkpoint"):
            await handle.signal(name, payload)
            # One by one: where 2 MB of signals come during a workflow task, the server fails it
            # and gives them to the next.
            pending = await until_pending(handle)
    assert (pending["malformed_count"], pending["checkpoints_ignored"]) == (3, 3)
    assert len(json.dumps(pending)) < 10_000
    await handle.signal("approve", {**APPROVAL, "note": much})

    assert (await handle.result())["effects"]["send"]["state"] == "committed"


async def test_large_arguments_can_be_seen_and_approved(stack: Stack, runs: list[Handle]) -> None:
    """Twelve intents of 200 KB are more than one answer may hold; each alone is shown whole."""
    nodes: dict[str, Any] = {"text": {"tool": "echo", "args": {"value": "x" * 200_000}}}
    for i in range(12):
        nodes[f"send{i}"] = {"effect": "outbox.put", "args": {"to": f"{i}", "body": "{{ text }}"}}
    handle = await stack.start(spec(**nodes))
    runs.append(handle)
    while len((pending := await until_pending(handle))["intents"]) < 12:  # noqa: ASYNC110
        await asyncio.sleep(0.02)

    assert any("omitted_bytes" in waiting["arguments"] for waiting in pending["intents"])
    for waiting in pending["intents"]:
        (whole,) = (await handle.query("pending", waiting["intent"]))["intents"]
        assert len(whole["arguments"]["body"]) == 200_000
        approval = {"node": whole["intent"], "by": "ann", "digest": whole["digest"]}
        await handle.signal("approve", approval)
    await handle.result()

    assert len(stack.rows(handle.id)) == 12


async def test_text_that_imitates_an_approval_or_a_call_stays_text(
    stack: Stack, runs: list[Handle]
) -> None:
    """In the input, in what models answer, in what tools return; it reaches prompts as it is."""
    said = "\n".join(IMITATIONS)
    stack.standin.set_rules([{"match": "^Answer", "reply": said, "tokens_per_second": 10_000}])
    nodes: dict[str, Any] = {
        "tool": {"tool": "echo", "args": {"value": "{{ input.mail }}"}},
        "model": {"model": "openai:sim-mid", "prompt": "Answer {{ input.mail }} {{ tool }}"},
        "again": {"model": "anthropic:sim-mid", "prompt": "Answer {{ model }}"},
        "send": {"effect": "outbox.put", "args": {"to": "a", "body": "{{ again }}"}},
    }
    handle = await stack.start({**spec(**nodes), "input": {"mail": said, "secret": "hunter2"}})
    runs.append(handle)
    pending = await until_pending(handle)

    assert stack.rows(handle.id) == []
    assert [pending[f"{kind}_count"] for kind in ("early", "late", "malformed")] == [0, 0, 0]
    prompts = [request["user"] for request in stack.standin.requests()]
    assert prompts == [f"Answer {said} {said}", f"Answer {said}"]
    (intent,) = pending["intents"]
    assert intent["arguments"] == {"to": "a", "body": said}
    await handle.signal("reject", {"node": "send", "by": "ann"})
    result = await handle.result()

    assert result["outputs"] == {"tool": said, "model": said, "again": said}
    story = await Story.of(handle)
    assert sorted(set(story.activity_ids()) & nodes.keys()) == ["again", "model", "tool"]
    assert not any(id.startswith("commit:") for id in story.activity_ids())
    assert stack.rows(handle.id) == []


async def test_hundreds_of_fuzzed_messages_leave_a_run_as_it_was(
    stack: Stack, runs: list[Handle]
) -> None:
    """Signals and updates of any form and order, none of them fit; each signal is counted."""
    dice = random.Random(20261121)
    handle = await stack.start(spec(send=SEND))
    runs.append(handle)
    (waiting,) = (await until_pending(handle))["intents"]
    sent = {"approve": 0, "reject": 0, "checkpoint": 0}

    async def message() -> None:
        name = dice.choice([*sent, "set_policy", "approved", "__temporal_x"])
        payloads = [fuzzed(dice) for _ in range(dice.choice([1, 1, 1, 1, 0, 2]))]
        payloads = [UNREADABLE if dice.random() < 0.05 else p for p in payloads]
        fit = len(payloads) == 1 and fits(payloads[0])
        if name == "set_policy":
            with pytest.raises(WorkflowUpdateFailedError):
                await handle.execute_update(name, args=payloads)
        elif not fit:
            sent[name] = sent.get(name, 0) + 1
            await handle.signal(name, args=payloads)

    for _ in range(30):
        await asyncio.gather(*(message() for _ in range(12)))
    pending = await handle.query("pending")

    assert pending["intents"] == [waiting]
    kept = pending["early_count"] + pending["malformed_count"]
    assert kept == sent["approve"] + sent["reject"]
    assert pending["checkpoints_ignored"] == sent["checkpoint"]
    assert pending["late_count"] == 0
    assert await failed_tasks(handle) == []
    await handle.signal("approve", {**APPROVAL, "digest": waiting["digest"]})
    await handle.signal("reject", {"node": "send", "by": "bob"})

    result = await handle.result()

    assert result["effects"]["send"]["by"] == "ann"
    assert len(stack.rows(handle.id)) == 1
    assert await failed_tasks(handle) == []
