"""The tools that need no configuration: `kb.search`, an example of a `read`, and `echo`.

`kb.search` looks into a small knowledge base that comes with the package, and its ranking depends
on nothing but the query: a guess about the topic that is right leads to the very same answer.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import Field, JsonValue

from forerun.activities.registration import Arguments, operation
from forerun.speculation.effect_class import EffectClass


class KbSearch(Arguments):
    """What to look up, and at most how many articles to return."""

    topic: str
    limit: int = Field(default=3, ge=1, le=10)


class Echo(Arguments):
    """What to return, and after how many seconds."""

    value: JsonValue
    seconds: float = Field(default=0.0, ge=0, le=3600)


@operation("kb.search", version="1", effect=EffectClass.READ, seconds=0.05)
async def kb_search(arguments: KbSearch) -> dict[str, Any]:
    """The best articles on a topic: `{"topic", "text", "sources"}`, the text empty if none fits."""
    query = _words(arguments.topic)
    ranked = sorted(_articles(), key=lambda article: (-article.score(query), article.id))
    found = [article for article in ranked[: arguments.limit] if article.score(query)]
    return {
        "topic": arguments.topic,
        "text": "\n\n".join(f"{article.title}. {article.text}" for article in found),
        "sources": [article.id for article in found],
    }


@operation("echo", version="1", effect=EffectClass.PURE, seconds=0.05, timeout_seconds=3660)
async def echo(arguments: Echo) -> Any:
    """`value`, after `seconds`."""
    await asyncio.sleep(arguments.seconds)
    return arguments.value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Article:
    id: str
    title: str
    topics: list[str]
    text: str

    def score(self, query: frozenset[str]) -> int:
        """Words in common: a topic counts more than the title, the title more than the text."""
        return (
            5 * len(query & frozenset(self.topics))
            + 2 * len(query & _words(self.title))
            + len(query & _words(self.text))
        )


@cache
def _articles() -> tuple[_Article, ...]:
    bundled = files("forerun.activities").joinpath("knowledge.json").read_text(encoding="utf-8")
    return tuple(_Article(**article) for article in json.loads(bundled))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+", text.lower()))
