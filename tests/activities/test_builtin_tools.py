"""The built-in tools that need no configuration."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from forerun.activities import builtin_tools
from forerun.activities.builtin_tools import KbSearch, kb_search
from forerun.activities.registry import Registry
from forerun.speculation.effect_class import EffectClass

REGISTRY = Registry.of(builtin_tools)


async def call(name: str, arguments: dict[str, Any]) -> Any:
    tool = REGISTRY.tool(name, "1")
    return await tool.run(tool.parse(arguments))


@pytest.mark.parametrize("topic", ["billing", "bug", "sales"])
async def test_kb_search_finds_the_topic(topic: str) -> None:
    """An article tagged with the topic ranks before one that only mentions it."""
    found = await call("kb.search", {"topic": topic})
    assert set(found) == {"topic", "text", "sources"}
    assert found["topic"] == topic
    assert found["sources"][0].startswith(f"kb/{topic}/")
    assert found["sources"][1].startswith(f"kb/{topic}/")
    assert found["text"]


async def test_kb_search_limit() -> None:
    """`limit` keeps the best ones."""
    three = await call("kb.search", {"topic": "refund after a duplicate charge"})
    one = await call("kb.search", {"topic": "refund after a duplicate charge", "limit": 1})
    assert one["sources"] == three["sources"][:1] == ["kb/billing/duplicate-charge"]
    with pytest.raises(ApplicationError, match="argument 'limit'"):
        await call("kb.search", {"topic": "x", "limit": 0})


async def test_kb_search_finds_nothing() -> None:
    """Without a word in common the answer is empty, not an error."""
    assert await call("kb.search", {"topic": "zzz"}) == {"topic": "zzz", "text": "", "sources": []}


@given(st.text(), st.integers(1, 10))
def test_kb_search_is_deterministic(topic: str, limit: int) -> None:
    """The same question always gets the same answer, and never more than asked for."""
    question = KbSearch(topic=topic, limit=limit)
    first = asyncio.run(kb_search(question))
    assert first == asyncio.run(kb_search(question))
    assert len(first["sources"]) <= limit


@pytest.mark.parametrize("value", [None, 0, 1.5, "x", [1, {"a": None}], {"b": []}])
async def test_echo(value: Any) -> None:
    """`echo` returns any JSON value as it is."""
    assert await call("echo", {"value": value}) == value
    assert await call("echo", {"value": value, "seconds": 0.001}) == value


@pytest.mark.parametrize("seconds", [-1, 3601, float("inf"), "soon"])
async def test_echo_bounds(seconds: Any) -> None:
    """`seconds` is between 0 and an hour."""
    with pytest.raises(ApplicationError):
        await call("echo", {"value": 1, "seconds": seconds})


def test_effect_classes() -> None:
    """`kb.search` ages and `echo` does not; the longest echo fits into its time limit."""
    assert REGISTRY.cards["kb.search"].effect is EffectClass.READ
    assert REGISTRY.cards["echo"].effect is EffectClass.PURE
    assert REGISTRY.cards["echo"].timeout_seconds > 3600
