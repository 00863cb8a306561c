"""Cut latency: from the server's record of the cancel request to the provider's sight of it.

Each run has one draft that runs ahead on a wrong guess and is cut when the classification ends; the
classifications of a round end 150 ms apart, so that cuts do not wait for each other. The begin is
the time of the ActivityTaskCancelRequested event, the end what the stand-in logs as `closed_at`:
both clocks are this machine's.
"""

from __future__ import annotations

import statistics
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from benchmarks.house import House
from benchmarks.tables import table

WIDTH = 8
ROUNDS = 8
APART_MS = 150


async def measure(house: House) -> dict[str, Any]:
    """Milliseconds with push cancel, and with heartbeats alone (250 ms throttle)."""
    rounds = 1 if house.quick else ROUNDS
    figures: dict[str, Any] = {"cuts": WIDTH * rounds}
    for name, push in (("push_cancel", True), ("heartbeats_only", False)):
        async with house.workers(push_cancel=push):
            delays = sorted([ms for _ in range(rounds) for ms in await _round(house)])
        figures[name] = {
            "cuts": len(delays),
            "p50_ms": round(statistics.median(delays), 1),
            "p95_ms": round(delays[round(0.95 * (len(delays) - 1))], 1),
            "max_ms": round(delays[-1], 1),
        }
    return figures


def markdown(figures: dict[str, Any]) -> str:
    """Both ways to hear of a cut."""
    ways = {"push_cancel": "push cancel (server 1.32)", "heartbeats_only": "heartbeats alone"}
    rows = [
        [said, *(figures[way][f"{p}_ms"] for p in ("p50", "p95", "max"))]
        for way, said in ways.items()
    ]
    head = "# Cut latency\n\nMilliseconds from the recorded cancel request until the provider sees the disconnect"
    return f"{head}, {figures['cuts']} cuts:\n\n" + table(["", "p50", "p95", "slowest"], rows)


async def _round(house: House) -> list[float]:
    await house.set_rules(
        [
            *(
                {"match": f"^Classify d{i}$", "reply": "bug", "ttft_ms": 1500 + APART_MS * i}
                for i in range(WIDTH)
            ),
            {"match": "billing", "reply": "word " * 2000, "ttft_ms": 100, "tokens_per_second": 90},
            {"match": "^Draft", "reply": "short", "ttft_ms": 10},
        ]
    )
    handles = [await house.start(_spec(f"d{i}")) for i in range(WIDTH)]
    for handle in handles:
        await handle.result()
    requested = {f"d{i}": await _cancel_request(handle) for i, handle in enumerate(handles)}
    closed = {
        r["user"].split()[1]: r["closed_at"]
        for r in await house.requests()
        if r["outcome"] == "disconnected"
    }
    return [1000 * (closed[node] - at) for node, at in requested.items() if node in closed]


def _spec(name: str) -> dict[str, Any]:
    policy = {"alpha": 1, "usd_per_second": "0.1", "budget_usd": "5"}
    return {
        "version": 1,
        "policy": policy,
        "nodes": {
            "classify": {
                "model": "openai:sim-large",
                "prompt": f"Classify {name}",
                "choices": ["billing", "bug"],
                "guess": [{"from": "value", "value": "billing", "p": 0.8}],
                "estimate": {"seconds": 4},
            },
            "draft": {
                "model": "openai:sim-mid",
                "prompt": f"Draft {name} for {{{{ classify }}}}",
                "max_output_tokens": 1000,
                "estimate": {"seconds": 8},
            },
        },
    }


async def _cancel_request(handle: WorkflowHandle[Any, Any]) -> float:
    """When the server recorded the cancel request of the draft, in unix seconds."""
    history = await handle.fetch_history()
    (requested,) = (
        event.event_time.ToNanoseconds() / 1e9
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED
    )
    return requested
