"""Guesses on guesses, several guesses for one node, and guesses made from speculative results."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Stack, Story, check_ledger

CHAIN = ["a", "b", "c", "d", "e"]
BETTING = {"alpha": 1, "usd_per_second": "1", "budget_usd": "5", "max_depth": 5}


def chain(readers: int, wrong: str | None = None) -> dict[str, Any]:
    """Five calls, each reading up to `readers` predecessors; the first four have a constant guess."""
    nodes: dict[str, Any] = {}
    for i, name in enumerate(CHAIN):
        reads = " ".join(f"{{{{ {up} }}}}" for up in CHAIN[max(i - readers, 0) : i])
        nodes[name] = {
            "model": "openai:sim-mid",
            "prompt": f"Step {name}: {reads}",
            "estimate": {"seconds": 2},
            "max_output_tokens": 50,
        }
        if name != "e":
            value = "something else" if name == wrong else f"answer {name}"
            nodes[name]["guess"] = [{"from": "value", "value": value, "p": 0.8}]
    return {"version": 1, "policy": BETTING, "nodes": nodes}


def steps() -> list[dict[str, Any]]:
    """Every step answers the same, whatever it read, after a while."""
    return [
        {"match": f"^Step {name}:", "reply": f"answer {name}", "ttft_ms": 700} for name in CHAIN
    ]


@pytest.mark.parametrize("readers", [1, 2])
async def test_a_chain_of_constant_guesses_starts_at_once(stack: Stack, readers: int) -> None:
    """All five calls are under way before the first has ended, and each runs once."""
    stack.standin.set_rules(steps())
    handle = await stack.start(chain(readers))

    result = await handle.result()

    story = await Story.of(handle)
    story.check()
    first_end = story.ended("a")
    assert first_end is not None
    for name in CHAIN[1:]:
        (ahead,) = story.ahead(name)
        started = story.scheduled(ahead)
        assert started is not None
        assert started.event_id < first_end.event_id
    assert set(story.outcomes().values()) == {"promoted"}
    assert len(stack.standin.requests()) == 5
    assert result["outputs"] == {name: f"answer {name}" for name in CHAIN}


async def test_a_refuted_guess_cuts_exactly_what_was_rendered_from_it(stack: Stack) -> None:
    """The guess for b is wrong: only c, which reads b, is lost; d and e stand on their own guesses."""
    stack.standin.set_rules(steps())
    handle = await stack.start(chain(1, wrong="b"))

    result = await handle.result()

    story = await Story.of(handle)
    story.check()
    lost = [o for o in story.of_kind("outcome") if o["outcome"] != "promoted"]
    assert {o["node"] for o in lost} == {"c"}
    assert {o["label"] for o in lost} == {'b="something else"'}
    assert {o["node"] for o in story.of_kind("outcome")} == {"b", "c", "d", "e"}
    assert result["outputs"]["c"] == "answer c"
    check_ledger(result["ledger"])


async def test_p_is_joint_over_the_assumptions(stack: Stack) -> None:
    """A call that reads two guessed nodes is bet on with the product of their P."""
    stack.standin.set_rules(steps())
    handle = await stack.start(chain(2))
    await handle.result()

    story = await Story.of(handle)
    by_depth = {len(d["assumptions"]): d["p"] for d in story.of_kind("decision")}
    assert by_depth[1] == "0.8"
    assert by_depth[2] == "0.64"


async def test_max_depth_bounds_the_assumptions(stack: Stack) -> None:
    """At depth 1 nothing is launched on two guesses; what needs them waits."""
    stack.standin.set_rules(steps())
    spec = chain(2)
    handle = await stack.start({**spec, "policy": {**BETTING, "max_depth": 1}})
    await handle.result()

    story = await Story.of(handle)
    story.check()
    assert {len(d["assumptions"]) for d in story.of_kind("decision")} == {1}
    assert "promoted" in story.outcomes().values()


async def test_several_guesses_for_one_node_race_and_one_wins(stack: Stack) -> None:
    """Breadth: each guess is judged by its own EV; the right one is promoted, the others cut."""
    stack.standin.set_rules(
        [
            {"match": "^Route", "reply": "bug", "ttft_ms": 700},
            {"match": "^Answer", "reply": "word " * 300, "tokens_per_second": 200},
        ]
    )
    choices = ["billing", "bug", "sales", "other"]
    guesses = [
        {"from": "value", "value": value, "p": p}
        for value, p in zip(choices, (0.4, 0.3, 0.2, 0.05), strict=True)
    ]
    spec = {
        "version": 1,
        "policy": {**BETTING, "max_breadth": 3},
        "nodes": {
            "route": {
                "model": "openai:sim-mid",
                "prompt": "Route",
                "choices": choices,
                "guess": guesses,
                "estimate": {"seconds": 2},
            },
            "answer": {"model": "openai:sim-mid", "prompt": "Answer {{ route }}"},
        },
    }
    handle = await stack.start(spec)

    result = await handle.result()

    story = await Story.of(handle)
    story.check()
    assert sorted(story.outcomes().values()) == ["cut", "cut", "promoted"]
    held = [d["reason"] for d in story.of_kind("decision") if d["verdict"] == "hold"]
    assert held == ["max_breadth 3"]
    assert len(story.of_kind("guess")) == 4
    assert result["outputs"]["route"] == "bug"
    check_ledger(result["ledger"])


async def test_the_same_call_by_two_guesses_is_launched_once(stack: Stack) -> None:
    """Guesses that differ where nobody looks lead to one call with two ways to be right."""
    stack.standin.set_rules(
        [
            {"match": "^Extract", "reply": {"city": "Bern", "note": "b"}, "ttft_ms": 500},
            {"match": "^Weather", "reply": "sunny", "ttft_ms": 300},
        ]
    )
    guesses = [
        {"from": "value", "value": {"city": "Bern", "note": note}, "p": 0.4} for note in ("x", "y")
    ]
    spec = {
        "version": 1,
        "policy": BETTING,
        "nodes": {
            "extract": {
                "model": "openai:sim-mid",
                "prompt": "Extract",
                "schema": {"type": "object"},
                "guess": guesses,
                "estimate": {"seconds": 2},
            },
            "weather": {"model": "openai:sim-mid", "prompt": "Weather in {{ extract.city }}"},
        },
    }
    handle = await stack.start(spec)

    await handle.result()

    story = await Story.of(handle)
    story.check()
    assert list(story.outcomes().values()) == ["promoted"]
    assert {g["tier"] for g in story.of_kind("guess")} == {0}
    assert len(stack.standin.requests()) == 2


async def test_a_guess_from_a_speculative_result_falls_with_it(stack: Stack) -> None:
    """Verify is guessed from a draft that itself was written on a guess; the guess was wrong."""
    stack.standin.set_rules(
        [
            {"match": "^Route", "reply": "bug", "ttft_ms": 900},
            {"match": "^Draft", "reply": "A draft.", "ttft_ms": 100},
            {"match": "^Verify", "reply": "A draft.", "ttft_ms": 900},
            {"match": "^Title", "reply": "Title", "ttft_ms": 300},
        ]
    )
    node = {"model": "openai:sim-mid", "estimate": {"seconds": 2}, "max_output_tokens": 60}
    spec = {
        "version": 1,
        "policy": BETTING,
        "nodes": {
            "route": {
                **node,
                "prompt": "Route",
                "guess": [{"from": "value", "value": "billing", "p": 0.7}],
            },
            "draft": {**node, "prompt": "Draft for {{ route }}"},
            "verify": {
                **node,
                "prompt": "Verify for {{ route }}: {{ draft }}",
                "guess": [{"from": "node", "node": "draft", "p": 0.7}],
            },
            "title": {**node, "prompt": "Title for {{ route }}: {{ verify }}"},
        },
    }
    handle = await stack.start(spec)

    result = await handle.result()

    story = await Story.of(handle)
    story.check()
    deep = [d for d in story.of_kind("decision") if len(d["assumptions"]) == 2]
    assert deep
    assert "promoted" not in {
        o["outcome"] for o in story.of_kind("outcome") if "billing" in o["label"]
    }
    assert result["outputs"]["title"] == "Title"
    check_ledger(result["ledger"])
