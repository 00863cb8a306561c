"""Guesses that say the same as the answer, on a real server: claimed, told, and approved by digest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from forerun.activities.equivalence import SAME_FROM, cosine
from forerun.speculation.quantities import number
from forerun.workers.cli.gate import show_pending
from forerun.workers.schemas import all_schemas
from forerun.workers.standin.embeddings import vector
from tests.harness import Stack, Story, check_ledger
from tests.workflows.auto_reply import APPROVAL, Handle, until_pending
from tests.workflows.loosely import (
    CLOSE,
    EMBEDDER,
    JUDGE,
    NEAR,
    SAME_WORDS,
    SUMMARY,
    approve_exactly,
    rules,
    spec,
)


def asked(stack: Stack, word: str) -> list[str]:
    """The prompts that begin with `word`."""
    return [r["user"] for r in stack.standin.requests() if r["user"].startswith(word)]


def made(node: str, guess: dict[str, Any], tier: int, by: str) -> dict[str, Any]:
    """An approximation, as it is told."""
    said = {"guess": guess["guess"], "label": guess["label"]}
    return {"node": node, "upstream": "summarise", **said, "tier": tier, "by": by}


@pytest.mark.parametrize(
    ("guess", "tier", "by", "verdict"),
    [
        (SAME_WORDS, 2, "wording", "no"),
        (NEAR, 3, EMBEDDER, "no"),
        (CLOSE, 3, JUDGE, "yes"),
    ],
)
async def test_what_says_the_same_is_claimed(
    stack: Stack, runs: list[Handle], guess: str, tier: int, by: str, verdict: str
) -> None:
    """The reply to the guess becomes the reply, and everybody is told; no call runs twice."""
    stack.standin.set_rules(rules(verdict=verdict))
    handle = await stack.start(spec(tier, guess))
    runs.append(handle)
    await handle.signal("approve", APPROVAL)
    intent = await approve_exactly(handle)
    result = await handle.result()

    story = await Story.of(handle)
    assert set(story.outcomes().values()) == {"promoted"}
    assert asked(stack, "Reply") == [f"Reply: {guess}"]
    assert result["outputs"]["summarise"] == SUMMARY
    (compared,), (tested,) = story.of_kind("compared"), story.of_kind("guess")
    assert (compared["tier"], compared["by"]) == (tier, by)
    assert (tested["right"], tested["tier"]) == (True, tier)
    (outcome,) = story.of_kind("outcome")
    assert outcome["approximates"] == [compared["guess"]]
    assert result["approximations"] == [made("reply", compared, tier, by)]
    assert intent["approximations"] == result["approximations"]
    assert result["ledger"]["saved_seconds"] > 0
    schemas = all_schemas()
    jsonschema.validate(result, schemas["result"])
    jsonschema.validate(compared, schemas["records"]["compared"])
    jsonschema.validate(outcome, schemas["records"]["outcome"])


async def test_an_approximation_takes_an_exact_approval(
    stack: Stack, runs: list[Handle], capsys: pytest.CaptureFixture[str]
) -> None:
    """A blind one, which would do otherwise, does not count; the effect then happens once."""
    stack.standin.set_rules(rules())
    handle = await stack.start(spec(2, SAME_WORDS))
    runs.append(handle)
    await handle.signal("approve", APPROVAL)
    pending = await until_pending(handle)
    jsonschema.validate(pending, all_schemas()["queries"]["pending"])
    await show_pending(stack.client, handle.id)
    intent = await approve_exactly(handle)

    result = await handle.result()

    assert "approximate: reply answers summarise=" in capsys.readouterr().out
    assert intent["approval"] == "exact"
    (ignored,) = intent["ignored"]
    assert "blind" in ignored["why"]
    (row,) = stack.rows(handle.id)
    assert (row["intent"], row["approved_by"]) == ("send", "ann")
    assert result["effects"]["send"]["state"] == "committed"


@pytest.mark.parametrize(
    "answer",
    [
        SUMMARY.replace("4821", "4822"),
        SUMMARY.replace("order 4821", "order B-4821"),
        SUMMARY.replace("is upset", "is NOT upset"),
    ],
    ids=["number", "id", "NOT"],
)
async def test_what_says_something_else_is_refuted(
    stack: Stack, runs: list[Handle], answer: str
) -> None:
    """However near its embedding: no model is even asked, and the reply is that to the answer."""
    stack.standin.set_rules(rules(answer, verdict="yes"))
    handle = await stack.start(spec(3, SUMMARY))
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    assert cosine(vector(SUMMARY), vector(answer)) >= Decimal("0.98")
    story = await Story.of(handle)
    (compared,) = story.of_kind("compared")
    assert (compared["tier"], compared["by"]) == (None, "wording")
    assert story.of_kind("guess")[0]["right"] is False
    assert asked(stack, "Reply")[-1] == f"Reply: {answer}"
    assert [r["model"] for r in stack.standin.requests()] == ["sim-mid"] * 3
    assert result["approximations"] == []
    assert result["effects"]["send"]["state"] == "committed"
    assert result["ledger"]["guess_usd"] == "0"
    check_ledger(result["ledger"])


@pytest.mark.parametrize(("tier", "guess"), [(1, SAME_WORDS), (2, NEAR)])
async def test_no_tier_is_tried_that_was_not_allowed(
    stack: Stack, runs: list[Handle], tier: int, guess: str
) -> None:
    """By default all but the same JSON is different; words may not be weighed by a model."""
    stack.standin.set_rules(rules())
    handle = await stack.start(spec(tier, guess))
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    story = await Story.of(handle)
    assert len(story.of_kind("compared")) == (tier == 2)
    assert set(story.outcomes().values()) <= {"cut", "discarded"}
    assert asked(stack, "Reply")[-1] == f"Reply: {SUMMARY}"
    assert result["approximations"] == []
    assert [r["model"] for r in stack.standin.requests()] == ["sim-mid"] * 3


@pytest.mark.parametrize("verdict", ["yes", "no"])
async def test_finding_out_is_in_the_ledger(stack: Stack, runs: list[Handle], verdict: str) -> None:
    """Embedder and judge are paid whatever they find; the ledger is the sum over its records."""
    stack.standin.set_rules(rules(verdict=verdict))
    handle = await stack.start(spec(3, CLOSE))
    runs.append(handle)
    await approve_exactly(handle)

    ledger = (await handle.result())["ledger"]

    story = await Story.of(handle)
    (compared,) = story.of_kind("compared")
    assert Decimal("0.8") <= number(compared["score"]) < SAME_FROM
    assert (compared["tier"] == 3) == (verdict == "yes")
    assert 0 < number(compared["best_usd"]) == number(ledger["guess_usd"])
    check_ledger(ledger)


async def test_what_rests_on_an_approximation_is_claimed_with_it(
    stack: Stack, runs: list[Handle]
) -> None:
    """The note reads the summary and the reply to its guess: both calls are told."""
    note = {"model": "openai:sim-mid", "prompt": "Note: {{ summarise }} {{ reply }}"}
    stack.standin.set_rules(
        [{"match": "^Reply", "reply": "Dear customer", "ttft_ms": 50}, *rules()]
    )
    handle = await stack.start(spec(2, SAME_WORDS, note=note))
    runs.append(handle)
    await approve_exactly(handle)

    result = await handle.result()

    story = await Story.of(handle)
    assert [*story.outcomes().values()] == ["promoted", "promoted"]
    (compared,) = story.of_kind("compared")
    expected = [made(node, compared, 2, "wording") for node in ("reply", "note")]
    assert result["approximations"] == expected


async def test_items_are_claimed_one_by_one(stack: Stack, runs: list[Handle]) -> None:
    """Where each item reads the summary, each is an approximation; a list of it is never one."""
    stack.standin.set_rules(rules())
    items = {"model": "openai:sim-mid", "prompt": "Note: {{ item }} {{ summarise }}"}
    nodes = {
        "topics": {**items, "for_each": "{{ input }}"},
        "words": {**items, "prompt": "Note: {{ item }}", "for_each": "{{ [summarise] }}"},
        "send": {"effect": "outbox.put", "args": {"to": "a", "body": "{{ topics }}"}},
    }
    handle = await stack.start({**spec(2, SAME_WORDS, **nodes), "input": ["lamp", "card"]})
    runs.append(handle)
    intent = await approve_exactly(handle)

    result = await handle.result()

    assert [one["node"] for one in intent["approximations"]] == ["topics[0]", "topics[1]"]
    made_in = {one["node"] for one in result["approximations"]}
    assert made_in == {"topics[0]", "topics[1]", "reply"}
    assert asked(stack, "Note: The customer") == [f"Note: {SUMMARY}"]


async def test_a_claim_that_fails_is_no_approximation(stack: Stack, runs: list[Handle]) -> None:
    """The need then runs as an ordinary call, on the answer itself; a blind approval will do."""
    broken = {"match": "^Reply", "fault": "reset", "ttft_ms": 800, "times": 1}
    stack.standin.set_rules([{**broken, "reply": "Dear"}, *rules()])
    once = {**spec(2, SAME_WORDS)["nodes"]["reply"], "retries": 0}
    handle = await stack.start(spec(2, SAME_WORDS, reply=once))
    runs.append(handle)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    story = await Story.of(handle)
    (outcome,) = story.of_kind("outcome")
    assert (outcome["outcome"], len(outcome["approximates"])) == ("failed", 1)
    assert asked(stack, "Reply")[-1] == f"Reply: {SUMMARY}"
    assert result["approximations"] == []
