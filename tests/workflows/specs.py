"""Specs for tests: the example of the contract, and the parts to build others from."""

from __future__ import annotations

from typing import Any

AUTO_REPLY: dict[str, Any] = {
    "version": 1,
    "workload": "auto-reply",
    "policy": {
        "alpha": 0.5,
        "usd_per_second": "0.01",
        "budget_usd": "0.50",
        "max_breadth": 3,
        "max_depth": 3,
    },
    "input": {"email": "...", "from": "..."},
    "nodes": {
        "classify": {
            "model": "openai:sim-mid",
            "prompt": "... {{ input.email }}",
            "choices": ["billing", "bug", "sales"],
            "guess": [{"from": "value", "value": "billing", "p": 0.6}],
        },
        "lookup": {"tool": "kb.search", "args": {"topic": "{{ classify }}"}},
        "draft": {
            "model": "anthropic:sim-mid",
            "prompt": "... {{ classify }} {{ lookup.text }}",
            "max_output_tokens": 500,
        },
        "escalate": {
            "model": "openai:sim-mid",
            "prompt": "...",
            "when": "{{ classify == 'bug' }}",
        },
        "send": {"effect": "outbox.put", "args": {"to": "{{ input.from }}", "body": "{{ draft }}"}},
    },
}
MODEL: dict[str, Any] = {"model": "openai:sim-mid", "prompt": "p"}
GUESS: dict[str, Any] = {"from": "value", "value": "x", "p": 0.5}


def spec(**nodes: Any) -> dict[str, Any]:
    return {"version": 1, "nodes": nodes}


def model(**keys: Any) -> dict[str, Any]:
    return {**MODEL, **keys}
