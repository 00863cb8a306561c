"""`for_each`: a fan-out over a list that is known only at run time, speculated like the rest."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from tests.harness import Stack, Story, check_ledger

TOPICS = {"type": "array", "items": {"type": "string"}}


def spec(guessed: list[str] | None = None, **fan: Any) -> dict[str, Any]:
    """`plan` says which topics there are, `write` writes on each, `join` reads all of it."""
    guess = [{"from": "value", "value": guessed, "p": 0.9}] if guessed is not None else []
    return {
        "version": 1,
        "policy": {"alpha": 1, "budget_usd": "2"},
        "nodes": {
            "plan": {
                "model": "openai:sim-mid",
                "prompt": "PLAN",
                "schema": TOPICS,
                **({"guess": guess} if guess else {}),
            },
            "write": {
                "model": "openai:sim-mid",
                "prompt": "WRITE {{ item }} at {{ index }}",
                "for_each": "{{ plan }}",
                **fan,
            },
            "join": {"model": "openai:sim-mid", "prompt": "JOIN {{ write }}"},
        },
    }


def rules(plan: str, *, slow_plan: bool = False) -> list[dict[str, Any]]:
    """The plan may take long enough for everything else to be done ahead."""
    pace = {"ttft_ms": 1500} if slow_plan else {"ttft_ms": 30}
    return [
        {"match": "^PLAN", "reply": plan, "tokens_per_second": 1000, **pace},
        *(
            {"match": f"^WRITE {topic}", "reply": f"on {topic}", "ttft_ms": 150}
            for topic in ("a", "b", "c", "d")
        ),
        {"match": "^JOIN", "reply": "joined", "ttft_ms": 150, "tokens_per_second": 1000},
    ]


async def test_items_run_within_their_concurrency_and_keep_their_order(
    stack: Stack, runs: list[Any]
) -> None:
    """The output is the list of outputs in order; never more than so many run at a time."""
    stack.standin.set_rules(rules('["a", "b", "c", "d", "a"]'))

    handle = await stack.start(spec(concurrency=2))
    runs.append(handle)
    result = await handle.result()

    assert result["outputs"]["write"] == ["on a", "on b", "on c", "on d", "on a"]
    assert "write[0]" not in result["outputs"]
    calls = [r for r in stack.standin.requests() if r["user"].startswith("WRITE")]
    assert len(calls) == 5
    story = await Story.of(handle)
    under_way = [(story.scheduled(f"write[{i}]"), story.ended(f"write[{i}]")) for i in range(5)]
    spans = [(began.event_id, end.event_id) for began, end in under_way if began and end]
    assert max(sum(began <= at < end for began, end in spans) for at, _ in spans) == 2
    assert sum(1 for one in stack.standin.requests() if one["user"].startswith("JOIN")) == 1
    assert 'JOIN ["on a","on b","on c","on d","on a"]' in [r["user"] for r in stack.standin.requests()]  # fmt: skip


async def test_a_guessed_list_starts_its_items_and_what_reads_them(
    stack: Stack, runs: list[Any]
) -> None:
    """Items, and the join of their results, are done before the list is known; all are promoted."""
    stack.standin.set_rules(rules('["a", "b", "c"]', slow_plan=True))

    handle = await stack.start(spec(guessed=["a", "b", "c"]))
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    outcomes = story.outcomes()
    assert result["outputs"]["write"] == ["on a", "on b", "on c"]
    assert set(outcomes.values()) == {"promoted"}
    assert [id.split(":")[1] for id in outcomes] == ["write[0]", "write[1]", "write[2]", "join"]
    planned, joined = story.ended("plan"), story.scheduled(story.ahead("join")[0])
    assert planned
    assert joined
    assert joined.event_id < planned.event_id
    check_ledger(result["ledger"])


async def test_of_a_guessed_list_the_right_items_count(stack: Stack, runs: list[Any]) -> None:
    """What a wrong guess shares with the answer is promoted, the rest is cut, none is lost."""
    stack.standin.set_rules(rules('["a", "c"]', slow_plan=True))

    handle = await stack.start(spec(guessed=["a", "b", "d"]))
    runs.append(handle)
    result = await handle.result()

    outcomes = {id.split(":")[1]: end for id, end in (await Story.of(handle)).outcomes().items()}
    assert result["outputs"]["write"] == ["on a", "on c"]
    assert outcomes.pop("write[0]") == "promoted"
    assert outcomes.pop("write[1]") == outcomes.pop("write[2]") == "discarded"
    (tested,) = (await Story.of(handle)).of_kind("guess")
    assert not tested["right"]


async def test_guessed_items_start_within_their_concurrency(stack: Stack, runs: list[Any]) -> None:
    """The cap holds ahead of time too: the third starts when the first is done."""
    stack.standin.set_rules(rules('["a", "b", "c"]', slow_plan=True))

    handle = await stack.start(spec(guessed=["a", "b", "c"], concurrency=2))
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    third = story.scheduled(story.ahead("write[2]")[0])
    first = [story.ended(story.ahead(f"write[{i}]")[0]) for i in (0, 1)]
    assert third
    assert any(one and one.event_id < third.event_id for one in first)
    assert result["outputs"]["write"] == ["on a", "on b", "on c"]
    assert set(story.outcomes().values()) == {"promoted"}


@pytest.mark.parametrize("guessed", [None, ["a"], []])
async def test_an_empty_list_is_an_empty_output(
    stack: Stack, runs: list[Any], guessed: list[str] | None
) -> None:
    """Nothing runs for it, and what reads it does; whatever was guessed."""
    stack.standin.set_rules(rules("[]"))

    handle = await stack.start(spec(guessed=guessed))
    runs.append(handle)
    result = await handle.result()

    assert result["outputs"] == {"plan": [], "write": [], "join": "joined"}


async def test_a_when_that_reads_the_item_leaves_items_out(stack: Stack, runs: list[Any]) -> None:
    """And one that does not skips the whole node, with what reads it."""
    stack.standin.set_rules(rules('["a", "b", "c"]'))

    some = await stack.start(spec(guessed=["a", "b", "c"], when="{{ item != 'b' }}"))
    none = await stack.start(spec(guessed=["a", "b", "c"], when="{{ plan | length > 5 }}"))
    runs += [some, none]

    assert (await some.result())["outputs"]["write"] == ["on a", "on c"]
    assert (await none.result())["skipped"] == ["write", "join"]


async def test_each_item_of_an_effect_is_an_intent_of_its_own(
    stack: Stack, runs: list[Any]
) -> None:
    """`send[0]`, `send[1]`: approved one by one, with a key of its own each."""
    stack.standin.set_rules(rules('["a", "b"]'))
    nodes = spec()["nodes"] | {
        "send": {
            "effect": "outbox.put",
            "args": {"to": "x@example.org", "body": "{{ item }}"},
            "for_each": "{{ write }}",
        }
    }

    handle = await stack.start({"version": 1, "nodes": nodes})
    runs.append(handle)
    await handle.signal("approve", {"node": "send[1]", "by": "eve"})
    await handle.signal("reject", {"node": "send[0]", "by": "eve"})
    result = await handle.result()

    assert {i: end["state"] for i, end in result["effects"].items()} == {
        "send[0]": "rejected",
        "send[1]": "committed",
    }
    assert [row["intent"] for row in stack.rows(handle.id)] == ["send[1]"]


@pytest.mark.parametrize(
    ("list_", "words"),
    [
        ('{{ "abc" }}', "nodes.write.for_each: is str, not a list"),
        ("{{ plan }}", "write[1]: "),
    ],
)
async def test_a_node_whose_list_or_item_fails_fails(stack: Stack, list_: str, words: str) -> None:
    """The error names the item; the other items finish, what reads the node is stopped."""
    fail = {"match": "^WRITE b", "fault": "500"}
    stack.standin.set_rules([fail, *rules('["a", "b", "c"]')])

    handle = await stack.start(spec(for_each=list_, retries=0))
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()

    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    (failed,) = cause.details[0]["failed"].items()
    assert failed[0] == "write"
    assert failed[1].startswith(words)
    assert cause.details[0]["skipped"] == ["join"]
