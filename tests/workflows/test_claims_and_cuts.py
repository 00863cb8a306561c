"""Promotion and refutation on a real server: what is launched, claimed, cut and written down."""

from __future__ import annotations

from typing import Any

from forerun.speculation.quantities import number
from tests.harness import Stack, Story, check_ledger
from tests.workflows.auto_reply import (
    APPROVAL,
    AUTO_REPLY,
    CLASSIFY,
    Handle,
    answers,
    with_policy,
)


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
    """A reading older than its `max_age_seconds` when it is needed is read again."""
    stack.standin.set_rules(answers("billing", ttft_ms=900))
    spec = {
        **AUTO_REPLY,
        "nodes": {
            "classify": CLASSIFY,
            "reading": {"tool": "gauge.read", "args": {"topic": "{{ classify }}"}},
        },
    }
    handle = await stack.start(spec)
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    assert story.outcomes() == {story.ahead("reading")[0]: "discarded"}
    assert "reading" in story.activity_ids()
    assert result["outputs"]["reading"] == "reading of billing"
