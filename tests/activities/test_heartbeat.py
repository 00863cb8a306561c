"""Heartbeats in the background."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from forerun.activities.heartbeat import heartbeating


class Beats(list[dict[str, Any]]):
    """The heartbeats of one activity; `until` waits for so many."""

    def __init__(self) -> None:
        self._grown = asyncio.Event()

    def record(self, beat: dict[str, Any]) -> None:
        self.append(beat)
        self._grown.set()

    async def until(self, count: int) -> None:
        while len(self) < count:
            await self._grown.wait()
            self._grown.clear()


async def in_activity(beats: Beats, body: Any) -> Any:
    env = ActivityEnvironment()
    env.on_heartbeat = beats.record
    return await env.run(body)


async def test_the_first_heartbeat_is_immediate_and_others_follow() -> None:
    """Each with the details of its moment."""
    beats = Beats()
    counter = iter(range(100))

    async def body() -> str:
        async with heartbeating(lambda: {"n": next(counter)}):
            assert beats == [{"n": 0}]
            await beats.until(3)
        return "done"

    assert await in_activity(beats, body) == "done"
    assert beats == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_nothing_beats_after_the_end() -> None:
    """The background task is over when the body is."""
    beats = Beats()

    async def body() -> set[asyncio.Task[Any]]:
        before = asyncio.all_tasks()
        async with heartbeating(dict):
            await beats.until(2)
        return asyncio.all_tasks() - before

    assert await in_activity(beats, body) == set()


async def test_a_failure_is_preceded_by_the_latest_details() -> None:
    """They are what the next attempt knows of this one."""
    beats = Beats()
    state = {"n": 0}

    async def body() -> None:
        async with heartbeating(lambda: dict(state)):
            state["n"] = 7
            raise OSError("the line is dead")

    with pytest.raises(OSError, match="the line is dead"):
        await in_activity(beats, body)

    assert beats == [{"n": 0}, {"n": 7}]
