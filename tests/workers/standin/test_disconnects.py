"""The log is the ground truth: who left, when, and after how many tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from forerun.workers.standin.serve import StandIn
from tests.workers.standin.callers import Answer, Api

NEVER = 3_600_000


async def cut_when(condition: Callable[[], bool], task: asyncio.Task[Answer]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it lies behind a socket
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_in_mid_stream(standin: StandIn, api: Api) -> None:
    """A stream cut by its reader is logged with exactly the tokens the reader has got."""
    standin.set_rules(
        [{"match": "", "reply": "one two three four", "ttft_ms": 0, "tokens_per_second": 1}]
    )
    answer = Answer()

    await cut_when(lambda: len(answer.deltas) >= 2, asyncio.create_task(api("x", answer=answer)))
    await standin.idle()

    [entry] = standin.requests()
    assert entry["outcome"] == "disconnected"
    assert entry["delivered_tokens"] == len(answer.deltas)
    assert entry["started"] < entry["ended"] == entry["closed_at"]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_before_the_first_token(standin: StandIn, api: Api, stream: bool) -> None:
    """Leaving while the model thinks is noticed at once, and nothing was delivered."""
    standin.set_rules([{"match": "", "reply": "never", "ttft_ms": NEVER}])

    asking = asyncio.create_task(api("x", stream=stream))
    await cut_when(lambda: bool(standin.requests()), asking)
    await standin.idle()

    [entry] = standin.requests()
    assert (entry["outcome"], entry["delivered_tokens"]) == ("disconnected", 0)


async def test_before_the_fault(standin: StandIn, api: Api) -> None:
    """Who leaves before anything broke is disconnected, not faulted."""
    standin.set_rules([{"match": "", "fault": "reset", "ttft_ms": NEVER}])

    await cut_when(lambda: bool(standin.requests()), asyncio.create_task(api("x")))
    await standin.idle()

    assert standin.requests()[0]["outcome"] == "disconnected"


async def test_running(standin: StandIn, api: Api) -> None:
    """A request that is being answered is listed as running, with what it has delivered so far."""
    standin.set_rules([{"match": "", "reply": "one two", "ttft_ms": 0, "tokens_per_second": 0.001}])
    answer = Answer()
    asking = asyncio.create_task(api("x", answer=answer))
    seen: list[dict[str, object]] = []

    def delivered() -> bool:
        seen[:] = standin.requests()
        return answer.text == "one"

    await cut_when(delivered, asking)

    entry = seen[0]
    assert (entry["outcome"], entry["delivered_tokens"]) == ("running", 1)
    assert entry["ended"] is entry["closed_at"] is None


async def test_a_hundred_streams(standin: StandIn, apis: dict[str, Api]) -> None:
    """A hundred streams at once: each whole or cut, none mixed up, every token accounted for."""
    standin.set_rules(
        [
            {"match": "^cut", "reply": "no", "ttft_ms": 0, "output_tokens": 9}
            | {"tokens_per_second": 0.001},
            {"match": "", "reply": "yes", "ttft_ms": 0, "output_tokens": 9}
            | {"tokens_per_second": 200},
        ]
    )
    answers = [Answer() for _ in range(100)]
    api = list(apis.values())
    asking = [
        asyncio.create_task(api[i % 3](f"{'cut' if i % 2 else 'keep'} {i}", answer=answer))
        for i, answer in enumerate(answers)
    ]

    await asyncio.gather(*asking[0::2])
    for task, answer in zip(asking[1::2], answers[1::2], strict=True):
        await cut_when(lambda answer=answer: bool(answer.deltas), task)
    await standin.idle()

    log = {entry["user"]: entry for entry in standin.requests()}
    assert len(log) == 100
    for i, answer in enumerate(answers):
        entry = log[f"{'cut' if i % 2 else 'keep'} {i}"]
        assert entry["delivered_tokens"] == len(answer.deltas) == (1 if i % 2 else 9)
        assert entry["outcome"] == ("disconnected" if i % 2 else "completed")


async def test_leaving_after_the_end_changes_nothing(standin: StandIn, api: Api) -> None:
    """A finished answer stays completed when its connection is closed or used again."""
    standin.set_rules([{"match": "", "reply": "yes", "ttft_ms": 0, "tokens_per_second": 1000}])

    await api("first")
    first = standin.requests()
    await api("second")

    assert standin.requests()[0] == first[0]
    assert [entry["outcome"] for entry in standin.requests()] == ["completed", "completed"]
