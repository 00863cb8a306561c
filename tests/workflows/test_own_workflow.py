"""A user's own workflow on `Speculation`: plain Python, a worker of its own, the same guarantees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError

from tests.harness import Stack, Story, check_ledger
from tests.workflows import loosely
from tests.workflows.auto_reply import until_pending
from tests.workflows.own_house import OwnHouse
from tests.workflows.own_workflows import OWN


@pytest.fixture
async def house(stack: Stack) -> AsyncIterator[OwnHouse]:
    """Every history replays with the user's workflows and the plugin."""
    async with OwnHouse.open(stack, OWN) as house:
        yield house


def rules(**replies: Any) -> list[dict[str, Any]]:
    """Slow enough that what runs ahead is seen to."""
    return [
        {"match": f"^{word}", "reply": reply, "ttft_ms": 300, "tokens_per_second": 1000}
        for word, reply in replies.items()
    ]


async def test_plain_python_runs_ahead_of_what_it_awaits(stack: Stack, house: OwnHouse) -> None:
    """The draft starts on the guess of the kind, its result is promoted, and the effect waits."""
    stack.standin.set_rules(
        [
            *rules(CLASSIFY="billing", DRAFT="Dear", REVISE="Dearest"),
            {"match": "^REVIEW Dearest", "reply": "good"},
            {"match": "^REVIEW", "reply": "bad"},
        ]
    )

    handle = await house.start("Triage", "charged twice")
    (intent,) = (await until_pending(handle))["intents"]
    assert intent["arguments"]["body"] == "Dearest"
    await handle.signal("approve", {"node": "send", "by": "eve", "digest": intent["digest"]})
    result = await handle.result()

    story = await Story.of(handle)
    story.check()
    assert result["state"] == "committed"
    assert result["outputs"]["classify"] == "billing"
    assert result["outputs"]["revise_0"] == "Dearest"
    assert result["effects"]["send"]["by"] == "eve"
    assert [row["intent"] for row in stack.rows(handle.id)] == ["send"]
    (ahead,) = story.ahead("draft")
    assert story.outcomes()[ahead] == "promoted"
    classified, drafted = story.ended("classify"), story.scheduled(ahead)
    assert classified
    assert drafted
    assert drafted.event_id < classified.event_id
    assert "known" not in story.activity_ids()
    assert result["last_record"] == story.records[-1]["sha256"]
    check_ledger(result["ledger"])


async def test_a_wrong_guess_is_cut_and_the_branch_taken(stack: Stack, house: OwnHouse) -> None:
    """What was drafted for the wrong kind is paid for and never seen."""
    stack.standin.set_rules(
        [
            {"match": "^DRAFT billing", "reply": "wrong " * 200, "tokens_per_second": 20},
            *rules(CLASSIFY="bug", DRAFT="Dear", REVIEW="good"),
        ]
    )

    handle = await house.start("Triage", "it crashes")
    await until_pending(handle)
    await handle.signal("reject", {"node": "send", "by": "eve"})
    result = await handle.result()

    story = await Story.of(handle)
    story.check()
    assert result["state"] == "rejected"
    assert result["outputs"]["draft"] == "Dear"
    assert [*story.outcomes().values()] == ["cut"]
    assert "known" in story.activity_ids()
    (learned,) = story.of_kind("operations")
    assert list(learned["operations"]) == ["kb.search", "outbox.put"]


async def test_an_approximation_follows_what_is_awaited(stack: Stack, house: OwnHouse) -> None:
    """The effect is declared on a plain value, made of an awaited output: it takes its digest too."""
    stack.standin.set_rules(loosely.rules())

    handle = await house.start("Relayed", loosely.SAME_WORDS)
    await handle.signal("approve", {"node": "send", "by": "eve"})
    intent = await loosely.approve_exactly(handle)
    result = await handle.result()

    assert intent["approval"] == "exact"
    assert [one["node"] for one in intent["approximations"]] == ["reply"]
    assert result["approximations"] == intent["approximations"]
    assert result["effects"]["send"]["by"] == "ann"


async def test_a_failed_step_raises_where_it_is_awaited(stack: Stack, house: OwnHouse) -> None:
    """The workflow may go on; a skipped step is None, and so is what was declared on it."""
    stack.standin.set_rules([{"match": "FAIL", "fault": "500"}])

    handle = await house.start("Failing", "caught")

    assert await handle.result() == "NodesFailed: None None"


async def test_a_failed_step_that_nobody_awaits_fails_the_run(
    stack: Stack, house: OwnHouse
) -> None:
    """As an exception that nobody retrieves would be lost: the error carries the result."""
    stack.standin.set_rules([{"match": "FAIL", "fault": "500"}])

    error = await house.problem("Failing", "unseen")

    assert error.type == "NodesFailed"
    assert "broken" in error.message
    assert error.details[0]["failed"].keys() == {"broken"}


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("dial", "policy.alpha: 2 is too large; fix: give at most 1"),
        ("outside", "a step was awaited outside of `async with Speculation()`"),
        ("twice", "nodes.a: is declared twice; fix: give each step a name of its own"),
        ("operation", "nodes.a.tool: unknown operation 'kb.serch'; fix: did you mean 'kb.search'?"),
        ("late", "nodes.a.tool: unknown operation 'kb.serch'; fix: did you mean 'kb.search'?"),
        ("kind", "nodes.a.effect: 'kb.search' is read: only a tool node may name it"),
        ("option", "nodes.a.choises: unknown key 'choises' in this model node"),
        ("else", "nodes.a.model: 'gpt' names no known provider and model"),
    ],
)
async def test_what_is_wrong_is_one_line(house: OwnHouse, how: str, words: str) -> None:
    """A mistake in the code fails the run once, and never retries the workflow task for ever."""
    error = await house.problem("Wrong", how)

    assert error.type == "InvalidSpec"
    assert error.message.startswith(words)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raises", "nodes.a.args: IndexError: list index out of range"),
        ("no dict", "nodes.a.args: returned str, not a dict of arguments"),
    ],
)
async def test_a_function_that_fails_fails_its_step(house: OwnHouse, how: str, words: str) -> None:
    """Like a template without a value."""
    error = await house.problem("Wrong", how)

    assert error.type == "NodesFailed"
    assert words in error.message


async def test_a_cancelled_workflow_settles_what_it_spent(stack: Stack, house: OwnHouse) -> None:
    """What runs is cut, joined and written down before the workflow ends."""
    endless = {"match": "^DRAFT", "reply": "long " * 400, "tokens_per_second": 20}
    stack.standin.set_rules([endless, *rules(CLASSIFY="billing")])

    handle = await house.start("Triage", "charged twice")
    while not stack.standin.requests():
        await handle.query("ledger")
    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    (await Story.of(handle)).check()


async def test_what_cannot_go_on_leaves_nothing_behind(stack: Stack, house: OwnHouse) -> None:
    """Calls that are under way are cut, what was staged is discarded, and then the run fails."""
    slow = {"ttft_ms": 60_000}
    stack.standin.set_rules([{"match": "^(CLASSIFY|DRAFT)", "reply": "billing", **slow}])

    error = await house.problem("WrongLate", "charged twice")

    assert error.type == "InvalidSpec"
    (handle,) = house.handles
    assert [row["state"] for row in stack.drafts(handle.id)] == ["discarded"]
    assert {request["outcome"] for request in stack.standin.requests()} == {"disconnected"}
