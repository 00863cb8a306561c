"""A summary whose guess may differ from it, what is written on it ahead, and an effect of that."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.workflows.auto_reply import Handle

EMBEDDER, JUDGE = "openai:text-embedding-3-small", "openai:sim-small"

SUMMARY = (
    "The customer has received a broken lamp, is upset about the long wait, and asks us for a "
    "refund of order 4821 to the card that was used."
)
SAME_WORDS = f"- {SUMMARY.upper()}"
NEAR = SUMMARY.replace("is upset", "is angry")  # 0.95 or more
CLOSE = SUMMARY.replace("is upset about the long wait", "is angry about the long delay")


def spec(tier: int, guess: str, **nodes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "nodes": {
            "summarise": {
                "model": "openai:sim-mid",
                "prompt": "Summarise",
                "equivalence": tier,
                "guess": [{"from": "value", "value": guess, "p": 0.8}],
                "estimate": {"seconds": 2},
            },
            "reply": {
                "model": "openai:sim-mid",
                "prompt": "Reply: {{ summarise }}",
                "max_output_tokens": 300,
            },
            "send": {
                "effect": "outbox.put",
                "args": {"to": "a@example.com", "body": "{{ reply }}"},
            },
            **nodes,
        },
    }


def rules(summary: str = SUMMARY, verdict: str = "no", **embedder: Any) -> list[dict[str, Any]]:
    """The summary comes first, the reply runs on; `embedder` are fields of the embedder's rule."""
    return [
        {"match": "^Summarise", "reply": summary, "ttft_ms": 400, "tokens_per_second": 2000},
        {"match": "^Reply", "reply": "Dear customer, " * 20, "tokens_per_second": 150},
        {"match": "^Note", "reply": "Noted.", "ttft_ms": 50, "tokens_per_second": 2000},
        {"match": "", "model": "text-*", "reply": "", "ttft_ms": 0, **embedder},
        {"match": '^{"A":', "reply": verdict, "ttft_ms": 0, "tokens_per_second": 2000},
    ]


async def approve_exactly(handle: Handle) -> dict[str, Any]:
    """Approve `send` by the digest that is shown; what was shown."""
    while True:
        pending = await handle.query("pending")
        if pending["intents"]:
            (intent,) = pending["intents"]
            approval = {"node": "send", "by": "ann", "digest": intent["digest"]}
            await handle.signal("approve", approval)
            return intent
        await asyncio.sleep(0.05)
