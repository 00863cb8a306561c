"""A user's own workflow at its most awkward moments: nothing is lost, and nothing hangs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from forerun.workers.audit.auditor import audit
from tests.harness import Stack, Story
from tests.workflows.own_house import OwnHouse
from tests.workflows.own_mistakes import MISTAKEN
from tests.workflows.own_workflows import WrongLate

WORKFLOWS = [*MISTAKEN, WrongLate]
LONG = {"reply": "billing", "ttft_ms": 60_000}


@pytest.fixture
async def odd(stack: Stack) -> AsyncIterator[OwnHouse]:
    """Every history replays, keeps its chain of records, and is clean under audit."""
    async with OwnHouse.open(stack, WORKFLOWS, patience=timedelta(seconds=15)) as odd:
        yield odd
    for handle in odd.handles:
        story = await Story.of(handle)
        story.check()
        assert not any(map(_failed_task, story.history.events))
        report = await audit(story.history)
        assert (report.violations, report.unsettled) == ((), None)


def _failed_task(event: Any) -> bool:
    return event.HasField("workflow_task_failed_event_attributes")


@pytest.mark.parametrize("step", ["tool", "effect"])
async def test_an_operation_named_while_the_books_are_kept(
    stack: Stack, odd: OwnHouse, step: str
) -> None:
    """A step that nobody knows of yet waits for the next round, and is surveyed in that one."""
    stack.standin.set_rules(
        [
            {"match": "^QUICK", "reply": "soon", "ttft_ms": 100},
            {"match": "^CLASSIFY", "reply": "billing", "ttft_ms": 1000},
        ]
    )

    handle = await odd.start("Meanwhile", step)
    await handle.signal("approve", {"node": "step", "by": "ann"})
    result: Any = await handle.result()

    assert not result["failed"]
    assert (await Story.of(handle)).of_kind("operations")


async def test_a_step_is_awaited_again_and_after_its_block(odd: OwnHouse) -> None:
    """It is its output, as often as anybody asks."""
    assert await (await odd.start("Afterwards", "await")).result() == [1, 1]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("declare", "nodes.second: is declared after its `async with Speculation()` was left"),
        ("again", "`async with` was entered twice"),
        ("inside", "`async with` was entered twice"),
        ("step", "nodes.second.args: a value of type Step is not JSON"),
    ],
)
async def test_what_cannot_be_fails_the_run_with_one_line(
    odd: OwnHouse, how: str, words: str
) -> None:
    """Steps that would never run, and be None in silence; a step where a value belongs."""
    error = await odd.problem("Afterwards", how)

    assert error.type == "InvalidSpec"
    assert words in error.message


async def test_what_a_workflow_does_to_its_values_changes_no_step(odd: OwnHouse) -> None:
    """A step is what was declared, and is rendered from what really came."""
    handle = await odd.start("Careless", "")

    assert await handle.result() == {"first": ["a"], "second": ["a"]}


async def test_an_activity_that_is_given_up_is_no_news(odd: OwnHouse) -> None:
    """Core says at once that it is over, within the task: refused, that would go on for ever."""
    assert await (await odd.start("Impatient", "")).result() == 1


async def test_a_block_that_is_cancelled_twice_is_settled_once(stack: Stack, odd: OwnHouse) -> None:
    """The second cancel comes while the first winds down; what was spent is written down."""
    stack.standin.set_rules([{"match": "^(CLASSIFY|DRAFT)", **LONG}])

    handle = await odd.start("Hurried", "")

    assert await handle.result() == "cancelled"
    assert list((await Story.of(handle)).outcomes().values()) == ["cut"]


async def test_a_wrong_operation_leaves_no_bet_unsettled(stack: Stack, odd: OwnHouse) -> None:
    """The run fails because of the spec; the books can be kept, so they are."""
    stack.standin.set_rules([{"match": "^(CLASSIFY|DRAFT)", **LONG}])

    error = await odd.problem("WrongLate", "charged twice")

    story = await Story.of(odd.handles[0])
    assert error.type == "InvalidSpec"
    assert len(story.outcomes()) == 2
