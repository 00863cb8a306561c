"""Four runs, each with a role whose workers are killed at its worst moment, and what is left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowQueryFailedError

from forerun.workers.roles import Role
from tests.harness import Story
from tests.workers.hardship import Hardship

Handle = Any
"""A `WorkflowHandle`: the SDK's overloads by name leave its types unknown."""

PATIENCE_SECONDS = 300
REPLY = " ".join(["word"] * 100)
AT_ONCE = {"match": ".", "reply": REPLY, "tokens_per_second": 10_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Who dies, how models answer until then, what is done to the run, and how it commits."""

    victim: Role
    rules: list[dict[str, Any]]
    befall: Callable[[Hardship, Handle], Awaitable[None]]
    effect: str = "outbox.put"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is left of a run."""

    result: dict[str, Any]
    story: Story
    rows: list[dict[str, Any]]
    prompts: list[str]

    @property
    def fates(self) -> dict[str, str]:
        """What became of the speculation on each node."""
        return {id.split(":")[1]: outcome for id, outcome in self.story.outcomes().items()}

    def attempts(self, activity_id: str) -> int:
        """At which attempt an activity ended."""
        scheduled = self.story.scheduled(activity_id)
        assert scheduled is not None
        started = (e.activity_task_started_event_attributes for e in self.story.history.events)
        return next(s.attempt for s in started if s.scheduled_event_id == scheduled.event_id)


async def endure(cli: Path, folder: Path, fate: Fate) -> Ending:
    """Start a run, let its fate befall it, and wait for its end."""
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        Hardship.begin(cli, folder, fate.victim) as hardship,
    ):
        hardship.stack.standin.set_rules(fate.rules)
        await hardship.hire()
        handle: Handle = await hardship.stack.start(spec(folder, fate.effect))
        await handle.signal("approve", {"node": "send", "by": "ann"})
        await fate.befall(hardship, handle)
        return Ending(
            result=await handle.result(),
            story=await Story.of(handle),
            rows=hardship.stack.rows(handle.id),
            prompts=[r["user"].split()[0] for r in hardship.stack.standin.requests()],
        )


def slow(prompts: str, tokens_per_second: float) -> list[dict[str, Any]]:
    """Answers of 100 tokens, slow ones to these prompts."""
    rule = {"match": f"^({prompts})", "reply": REPLY, "tokens_per_second": tokens_per_second}
    return [rule, AT_ONCE]


def spec(folder: Path, effect: str) -> dict[str, Any]:
    """A chain of models that reads two answers which the test holds back; all guesses are right.

    By the estimates there is always time to win: no bet is given up as it drags on.
    """

    def held(name: str) -> dict[str, Any]:
        return {
            "tool": "held.wait",
            "args": {"value": name, "until": str(folder / name)},
            "guess": [{"from": "value", "value": name, "p": 0.9}],
            "estimate": {"seconds": 600},
        }

    def model(prompt: str) -> dict[str, Any]:
        return {
            "model": "openai:sim-mid",
            "prompt": prompt,
            "max_output_tokens": 300,
            "estimate": {"seconds": 600},
        }

    certain = {"from": "value", "value": REPLY, "p": 0.9}
    args = {"to": "a@example.com", "body": "{{ close }} {{ facts }}"}
    args |= {"stages": str(folder)} if effect == "held.put" else {}
    return {
        "version": 1,
        "policy": {"alpha": 1, "usd_per_second": "1", "budget_usd": "5"},
        "nodes": {
            "facts": model("Facts"),
            "topic": held("topic"),
            "name": held("name"),
            "draft": {**model("Draft on {{ topic }}"), "guess": [certain]},
            "letter": model("Letter: {{ draft }}"),
            "close": model("Close for {{ name }}: {{ letter }}"),
            "send": {"effect": effect, "args": args},
        },
    }


async def speculative(hardship: Hardship, handle: Handle) -> None:
    """Two speculations run; one is claimed before their worker dies, the other is not."""
    await hardship.until(lambda: hardship.streaming("Draft", "Letter"))
    hardship.allow("topic")
    await history(handle, lambda story: completed(story, "promote"))
    await hardship.kill()
    # The server misses both at about the same time; the claimed one must not be done by then.
    hardship.stack.standin.set_rules(slow("Draft", 20))
    await hardship.hire()
    # The new worker is asked too: the end can run ahead once the letter is certain.
    await history(handle, lambda story: len(story.ahead("close")) == 1)
    hardship.allow("name")


async def call(hardship: Hardship, handle: Handle) -> None:
    """Certain calls run, and all the rest has run ahead of them."""
    await hardship.until(lambda: hardship.streaming("Facts"))
    await history(handle, lambda story: len(story.ahead("close")) == 1)
    await hardship.kill()
    hardship.stack.standin.set_rules([AT_ONCE])
    await hardship.hire()
    hardship.allow("topic", "name")


async def workflow(hardship: Hardship, handle: Handle) -> None:
    """A decision has launched speculations; what one of them waits for ends while nobody is there.

    The next decision is up to the new worker, and so is the answer to somebody who asks meanwhile.
    """
    await hardship.until(lambda: hardship.streaming("Draft", "Letter"))
    await hardship.kill()
    asking = asyncio.create_task(handle.query("ledger"))
    hardship.allow("topic")
    await history(handle, lambda story: story.ended("topic") is not None)
    await hardship.hire()
    with suppress(WorkflowQueryFailedError):
        await asking
    await history(handle, lambda story: len(story.ahead("close")) == 1)
    hardship.allow("name")


async def commit(hardship: Hardship, handle: Handle) -> None:
    """Its first worker dies before it has written, its second before it could tell that it has."""
    await history(handle, lambda story: len(story.ahead("close")) == 1)
    hardship.allow("topic", "name")
    for stage, rows in (("about-to-write", 0), ("written", 1)):
        await hardship.until((hardship.folder / stage).exists)
        assert len(hardship.stack.rows(handle.id)) == rows
        await hardship.kill()
        await hardship.hire()


FATES = [
    Fate(victim=Role.SPECULATIVE, rules=slow("Draft|Letter", 1), befall=speculative),
    Fate(victim=Role.CALL, rules=slow("Facts", 1), befall=call),
    Fate(victim=Role.WORKFLOW, rules=slow("Draft|Letter", 5), befall=workflow),
    Fate(victim=Role.COMMIT, rules=[AT_ONCE], befall=commit, effect="held.put"),
]


async def history(handle: Handle, shows: Callable[[Story], bool]) -> None:
    """Wait until the history shows something."""
    while not shows(await Story.of(handle)):  # noqa: ASYNC110
        await asyncio.sleep(0.1)


def completed(story: Story, activity_type: str) -> bool:
    """Whether an activity of this type has completed."""
    ids = [
        event.activity_task_scheduled_event_attributes.activity_id
        for event in story.history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == activity_type
    ]
    ends = [story.ended(id) for id in ids]
    return any(e and e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED for e in ends)
