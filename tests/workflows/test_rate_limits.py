"""A provider that says 429 to a call on a guess: no more guesses go there for now, needs do."""

from __future__ import annotations

from typing import Any

from tests.harness import Stack, Story, check_ledger
from tests.workflows.auto_reply import Handle


async def test_a_refused_speculation_holds_back_the_next(stack: Stack, runs: list[Handle]) -> None:
    """It has one attempt and loses its bet; what else would ask its provider on a guess is held."""
    route = {
        "model": "anthropic:sim-mid",
        "prompt": "Route",
        "guess": [{"from": "value", "value": "billing", "p": 0.9}],
        "estimate": {"seconds": 3},
    }
    openai = {"model": "openai:sim-mid", "max_output_tokens": 60}
    nodes: dict[str, Any] = {
        "route": route,
        "draft": {**openai, "prompt": "Draft {{ route }}", "estimate": {"seconds": 3}},
        "later": {"tool": "echo", "args": {"value": 1, "seconds": 0.2}},
        "title": {
            **openai,
            "prompt": "Title {{ route }} {{ later }}",
            "estimate": {"seconds": 1},
        },
    }
    stack.standin.set_rules(
        [
            {"match": "^Route", "reply": "billing", "ttft_ms": 900},
            {"match": "^Draft", "fault": "429", "times": 1},
            {"match": "^(Draft|Title)", "reply": "fine", "ttft_ms": 50},
        ]
    )
    handle = await stack.start({"version": 1, "policy": {"alpha": 1}, "nodes": nodes})
    runs.append(handle)

    result = await handle.result()

    story = await Story.of(handle)
    assert story.outcomes() == {story.ahead("draft")[0]: "failed"}
    assert "rate_limited: openai" in {d["reason"] for d in story.of_kind("decision")}
    assert {result["outputs"][name] for name in ("draft", "title")} == {"fine"}
    check_ledger(result["ledger"])
