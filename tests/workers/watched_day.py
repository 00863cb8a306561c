"""Five runs of a watched forerun: what they are made of, and what their histories say of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness import Story
from tests.workers.watched import Sample, Watched
from tests.workflows import loosely

EXAMPLES = Path(__file__).parents[2] / "examples"
REPLY = "We have refunded the second charge."
RULES = [
    {"match": "^Which team(.|\n)*crash", "reply": "bug", "ttft_ms": 2500},
    {"match": "^Which team", "reply": "billing", "ttft_ms": 2000},
    {"match": "^Answer(.|\n)*crash", "model": "sim-mid", "reply": "word " * 2000, "ttft_ms": 50},
    {"match": "^Answer", "reply": REPLY, "ttft_ms": 50},
    {"match": "^Sort", "model": "sim-small", "reply": "billing", "ttft_ms": 50},
    {"match": "^Sort", "reply": "billing", "ttft_ms": 2500},
    {"match": "^Hello", "reply": "one two three four", "fault": "truncate", "times": 1},
    {"match": "^Hello", "reply": "one two three four", "ttft_ms": 10},
    {"match": "^Summarise", "reply": loosely.SUMMARY, "ttft_ms": 2000},
    *loosely.rules(verdict="yes"),
]
TWICE = {
    "version": 1,
    "nodes": {
        "hello": {"model": "anthropic:sim-large", "prompt": "Hello"},
        "unknown": {"model": "openai:nobodys", "prompt": "Hello {{ hello }}"},
        "told": {"tool": "say", "args": {"word": "{{ hello }}"}},
    },
}
BOUGHT = {
    "version": 1,
    "policy": {"alpha": 1, "budget_usd": "1"},
    "nodes": {
        "sort": {
            "model": "openai:sim-large",
            "prompt": "Sort this",
            "choices": ["billing", "bug"],
            "guess": [{"from": "model", "model": "openai:sim-small", "k": 1, "p": 0.8}],
            "estimate": {"seconds": 3},
        },
        "reply": {
            "model": "anthropic:sim-mid",
            "prompt": "Answer {{ sort }}",
            "estimate": {"seconds": 3},
        },
    },
}
CLOSE = loosely.spec(3, loosely.CLOSE)
del CLOSE["nodes"]["send"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Five runs: a guess is right, wrong, bought, or close, and a call is tried twice."""

    watched: Watched
    runs: dict[str, Any]
    samples: list[Sample]

    @classmethod
    @asynccontextmanager
    async def over(cls, cli: Path, folder: Path) -> AsyncGenerator[Day]:
        """The day, watched from its first minute, with all its runs over."""
        example: dict[str, Any] = json.loads((EXAMPLES / "auto_reply.json").read_text())
        example["nodes"]["classify"]["estimate"]["seconds"] = 6  # on a busy machine bets come late
        crash = {**example, "input": {"from": "m@example.com", "email": "It does crash."}}
        async with Watched.start(cli, folder) as watched:
            watched.standin.set_rules(RULES)
            specs = {
                "right": example,
                "wrong": crash,
                "twice": TWICE,
                "bought": BOUGHT,
                "close": CLOSE,
            }
            handles = await asyncio.gather(*(watched.run(spec, id) for id, spec in specs.items()))
            runs = dict(zip(specs, handles, strict=True))
            yield cls(watched=watched, runs=runs, samples=await watched.samples())

    async def ledgers(self) -> list[dict[str, Any]]:
        return [(await run.result())["ledger"] for run in self.runs.values()]

    async def stories(self) -> list[Story]:
        return [await Story.of(run) for run in self.runs.values()]

    async def check(self, counted: float, recorded: int) -> None:
        """They agree. A workflow task that the server refuses is run and counted again."""
        refused = any(
            event.HasField("workflow_task_failed_event_attributes")
            for story in await self.stories()
            for event in story.history.events
        )
        assert counted >= recorded if refused else counted == recorded

    def total(self, name: str, **labels: str) -> float:
        """The sum over all lines of this name with these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
