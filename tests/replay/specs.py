"""Specs and stand-in rules of the kept runs.

Replies are short, so that the files stay small; what an estimate says is longer than what really
happens, so that the bets pay.
"""

from __future__ import annotations

from typing import Any

EAGER = {"alpha": 1, "usd_per_second": "1", "budget_usd": "5"}
SEND: dict[str, Any] = {
    "effect": "outbox.put",
    "args": {"to": "a@example.com", "body": "{{ draft }}"},
}


def model(prompt: str, **keys: Any) -> dict[str, Any]:
    """A model node that is expected to take two seconds."""
    return {
        "model": "openai:sim-mid",
        "prompt": prompt,
        "max_output_tokens": 60,
        "estimate": {"seconds": 2},
        **keys,
    }


def value(value: Any, p: float = 0.8) -> dict[str, Any]:
    return {"from": "value", "value": value, "p": p}


def dag(policy: dict[str, Any] = EAGER, **nodes: Any) -> dict[str, Any]:
    return {"version": 1, "policy": policy, "nodes": nodes}


def says(prompt: str, reply: Any, ttft_ms: int = 50, **keys: Any) -> dict[str, Any]:
    return {"match": f"^{prompt}", "reply": reply, "ttft_ms": ttft_ms, **keys}


def auto_reply(policy: dict[str, Any] = EAGER, **send: Any) -> dict[str, Any]:
    """The example of the docs."""
    return dag(
        policy,
        classify=model("Classify", choices=["billing", "bug"], guess=[value("billing")]),
        lookup={"tool": "kb.search", "args": {"topic": "{{ classify }}", "limit": 1}},
        draft=model("Draft: {{ classify }} {{ lookup.text }}", model="anthropic:sim-mid"),
        send={**SEND, **send},
    )


BILLING = (says("Classify", "billing", 600), says("Draft", "Dear customer, all is well."))
LONG_DRAFT = says("Draft", "word " * 50, tokens_per_second=30)
SUMMARY = (
    "The customer has received a broken lamp, is upset about the long wait, and asks us for a "
    "refund to the card that was used for the order."
)
STEPS = ("a", "b", "c", "d")


def chain() -> dict[str, Any]:
    """Four calls, each reading all before it, all but the last guessed."""
    nodes: dict[str, Any] = {}
    for step in STEPS:
        reads = " ".join(f"{{{{ {up} }}}}" for up in nodes)
        guess = [value(f"answer {step}", 0.9)] if step != STEPS[-1] else []
        nodes[step] = model(f"Step {step}: {reads}", guess=guess)
    return dag(**nodes)
