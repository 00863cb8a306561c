"""Each kind of worker is killed at its worst moment, and the run ends as if nothing had happened.

The worker is a real process, `kill -9` is real, and another process takes its place. The server
misses a dead worker only after the heartbeat timeout of 10 s, so all four runs go on at once, each
on a server of its own, since the names of the task queues are fixed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.worker import Replayer

from forerun import __version__
from forerun.speculation.quantities import number
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Role
from forerun.workflows.agent_dag import AgentDag
from tests.harness import Story, check_ledger
from tests.lossless.dollars import ledger_problems
from tests.lossless.told import Told
from tests.workers.hardship import Hardship

Handle = Any
PATIENCE_SECONDS = 150
REPLY = " ".join(["word"] * 100)
AT_ONCE = {"match": ".", "reply": REPLY, "tokens_per_second": 10_000}


def slow(prompts: str, tokens_per_second: float) -> list[dict[str, Any]]:
    """Answers of 100 tokens, slow ones to these prompts."""
    rule = {"match": f"^({prompts})", "reply": REPLY, "tokens_per_second": tokens_per_second}
    return [rule, AT_ONCE]


def spec(folder: Path, **put: Any) -> dict[str, Any]:
    """A chain of models that reads two answers which the test holds back; all guesses are right."""

    def held(name: str) -> dict[str, Any]:
        return {
            "tool": "held.wait",
            "args": {"value": name, "until": str(folder / name)},
            "guess": [{"from": "value", "value": name, "p": 0.9}],
            "estimate": {"seconds": 600},
        }

    def model(prompt: str) -> dict[str, Any]:
        return {"model": "openai:sim-mid", "prompt": prompt, "max_output_tokens": 300}

    certain = {"from": "value", "value": REPLY, "p": 0.9}
    args = {"to": "a@example.com", "body": "{{ close }} {{ facts }}"}
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
            "send": {"effect": "outbox.put", **put, "args": {**args, **put.get("args", {})}},
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

    The next decision is up to the new worker.
    """
    await hardship.until(lambda: hardship.streaming("Draft", "Letter"))
    await hardship.kill()
    hardship.allow("topic")
    await hardship.hire()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Who dies, how models answer until then, what is done to the run, and how it commits."""

    victim: Role
    rules: list[dict[str, Any]]
    befall: Callable[[Hardship, Handle], Awaitable[None]]
    held_put: bool = False

    def put(self, folder: Path) -> dict[str, Any]:
        """What this makes of the effect."""
        return {"effect": "held.put", "args": {"stages": str(folder)}} if self.held_put else {}


FATES = [
    Fate(victim=Role.SPECULATIVE, rules=slow("Draft|Letter", 1), befall=speculative),
    Fate(victim=Role.CALL, rules=slow("Facts", 1), befall=call),
    Fate(victim=Role.WORKFLOW, rules=slow("Draft|Letter", 5), befall=workflow),
    Fate(victim=Role.COMMIT, rules=[AT_ONCE], befall=commit, held_put=True),
]


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
        handle: Handle = await hardship.stack.start(spec(folder, **fate.put(folder)))
        await handle.signal("approve", {"node": "send", "by": "ann"})
        await fate.befall(hardship, handle)
        return Ending(
            result=await handle.result(),
            story=await Story.of(handle),
            rows=hardship.stack.rows(handle.id),
            prompts=[r["user"].split()[0] for r in hardship.stack.standin.requests()],
        )


@pytest.fixture(scope="module")
async def endings(
    temporal_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[Role, asyncio.Task[Ending]]]:
    """All runs, going on at once; a test awaits its own."""
    tasks = {
        fate.victim: asyncio.create_task(
            endure(temporal_cli, tmp_path_factory.mktemp(fate.victim), fate)
        )
        for fate in FATES
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("victim", list(Role))
async def test_the_run_ends_as_if_nothing_had_happened(
    endings: dict[Role, asyncio.Task[Ending]], victim: Role
) -> None:
    """Right outputs, one row, one outcome per launch, every dollar told once, and it replays."""
    ending = await endings[victim]

    written = ("facts", "draft", "letter", "close")
    assert {name: ending.result["outputs"][name] for name in written} == dict.fromkeys(
        written, REPLY
    )
    (row,) = ending.rows
    assert (row["intent"], row["approved_by"]) == ("send", "ann")
    assert ending.result["effects"]["send"]["receipt"]["committed_at"] == row["committed_at"]
    ending.story.check()
    assert sorted(ending.fates) == ["close", "draft", "letter"]
    assert ending.result["last_record"] == ending.story.records[-1]["sha256"]
    ledger = ending.result["ledger"]
    check_ledger(ledger)
    assert list(ledger_problems(Told(ending.story), ledger)) == []
    assert ledger["unpriced_calls"] == 0
    replayer = Replayer(
        workflows=[AgentDag], plugins=[forerun_plugin()], build_id=f"forerun-{__version__}"
    )
    await replayer.replay_workflow(ending.story.history)


async def test_a_speculation_dies_with_its_worker_unless_it_was_claimed(
    endings: dict[Role, asyncio.Task[Ending]],
) -> None:
    """Unclaimed, it has one attempt: it failed, cost what it last told, and the need runs anew.

    Claimed, it has the retries of certain work, and is promoted at the second attempt.
    """
    ending = await endings[Role.SPECULATIVE]

    assert ending.fates == {"draft": "promoted", "letter": "failed", "close": "promoted"}
    assert ending.attempts(ending.story.ahead("draft")[0]) == 2
    assert "letter" in ending.story.activity_ids()
    assert "draft" not in ending.story.activity_ids()
    assert sorted(ending.prompts) == ["Close", "Draft", "Draft", "Facts", "Letter:", "Letter:"]
    (lost,) = [o for o in ending.story.of_kind("outcome") if o["outcome"] == "failed"]
    assert number(ending.result["ledger"]["wasted_usd"]) == number(lost["best_usd"]) > 0


async def test_certain_work_is_tried_again(endings: dict[Role, asyncio.Task[Ending]]) -> None:
    """Both attempts are told in the bill, and what ran ahead of it meanwhile is claimed."""
    ending = await endings[Role.CALL]

    assert set(ending.fates.values()) == {"promoted"}
    assert [ending.attempts(name) for name in ("facts", "topic", "name")] == [2, 2, 2]
    assert sorted(ending.prompts) == ["Close", "Draft", "Facts", "Facts", "Letter:"]
    end = ending.story.ended("facts")
    assert end is not None
    (result,) = end.activity_task_completed_event_attributes.result.payloads
    assert json.loads(result.data)["bill"]["attempts"] == 2


async def test_decisions_outlive_the_process_that_took_them(
    endings: dict[Role, asyncio.Task[Ending]],
) -> None:
    """Another process reads them in the history and goes on: nothing is launched or asked twice."""
    ending = await endings[Role.WORKFLOW]

    assert set(ending.fates.values()) == {"promoted"}
    assert sorted(ending.prompts) == ["Close", "Draft", "Facts", "Letter:"]
    tasks = (e.workflow_task_completed_event_attributes for e in ending.story.history.events)
    assert len({task.identity for task in tasks if task.identity}) == 2


async def test_a_commit_happens_once(endings: dict[Role, asyncio.Task[Ending]]) -> None:
    """Three workers tried it, two of them wrote it, and there is one row: that of the first."""
    ending = await endings[Role.COMMIT]

    assert ending.attempts("commit:send") == 3
    assert len(ending.rows) == 1


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
