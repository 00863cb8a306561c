"""The people around a run, and what else is said to it: everything that counts, and much that must not.

Who answers an intent asks for no more than `pending` shows. After a decision has been made come
duplicates of it and contradictions: the first valid decision wins.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from tests.chaos.generator import Hardship
from tests.chaos.patience import patiently
from tests.chaos.watching import Watched
from tests.lossless.case import Manner, PolicyChange

LOOK_SECONDS = 0.3
OTHER_DIGEST = "0" * 64

MALFORMED: tuple[list[Any], ...] = (
    [],
    ["ann"],
    [{"node": "e0"}],
    [{"node": "e0", "by": "ann", "digset": OTHER_DIGEST}],
    [{"node": "e0", "by": "ann", "digest": "none"}],
    [{"node": "e0", "by": "ann"}, {"node": "e0", "by": "bob"}],
    [{"node": ["e0"], "by": 7}],
    [None],
)


class People:
    """All who speak to one run; `said` counts what must not matter."""

    def __init__(self, watched: Watched, hardship: Hardship) -> None:
        self.said = Counter[str]()
        self._watched = watched
        self._rng = random.Random(f"people {hardship.seed}")
        self._nodes = hardship.case.spec["nodes"]
        self._manners = hardship.case.manners
        self._changes = hardship.case.changes
        self._answered: set[tuple[str, str]] = set()

    async def attend(self) -> None:
        """Answer and turn dials until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer())
            for change in self._changes:
                group.create_task(self._turn(change))

    async def _answer(self) -> None:
        for intent, manner in self._manners.items():
            if manner.early:
                self.said["early signal"] += 1
                await self._decide(intent, manner, "")
        while True:
            for intent in await self._pending():
                name, digest = intent["intent"], intent["digest"]
                manner = self._manners[name]
                due = not (manner.early or manner is Manner.SILENT)
                if due and (name, digest) not in self._answered:
                    self._answered.add((name, digest))
                    await self._decide(name, manner, digest)
            await asyncio.sleep(LOOK_SECONDS)

    async def _pending(self) -> list[dict[str, Any]]:
        try:
            return (await self._watched.handle.query("pending"))["intents"]
        except (RPCError, WorkflowQueryFailedError):
            return []  # no server, no worker, or between two of them: we look again anyway

    async def _decide(self, intent: str, manner: Manner, digest: str) -> None:
        """Say what counts, and then what does not."""
        for answer, by, named in self._words(intent, manner, digest):
            said = {"node": intent, "by": by} | ({"digest": named} if named else {})
            await self.say(answer, said)
        if manner is Manner.SILENT:
            return
        rejected = manner.leads_to == "rejected"
        self.said["rejection"] += rejected
        last = self._rng.random()
        if last < 0.25:
            self.said["duplicate signal"] += 1
            await self.say("reject" if rejected else "approve", {"node": intent, "by": "ann"})
        elif last < 0.5:
            self.said["contradictory signal"] += 1
            await self.say("approve" if rejected else "reject", {"node": intent, "by": "eve"})

    def _words(self, intent: str, manner: Manner, digest: str) -> list[tuple[str, str, str]]:
        """Answer, by whom, and the digest that is named."""
        if manner.leads_to == "rejected":
            return [("reject", "ann", "")]
        names = ["ann", "bob"] if self._operation(intent) == "chaos.pair" else ["ann"]
        if manner is Manner.EXACT:
            return [("approve", by, digest) for by in names]
        words = [("approve", by, "") for by in names]
        if manner is Manner.CORRECTED:
            self.said["foreign signal"] += 1
            return [("approve", "eve", OTHER_DIGEST), *words]
        return words

    def _operation(self, intent: str) -> str:
        return self._nodes[intent.partition("[")[0]]["effect"]

    async def say(self, signal: str, *payload: Any) -> None:
        """Send a signal; nobody hears it once the run is over."""
        with _over():
            await patiently(lambda: self._watched.handle.signal(signal, args=payload))

    async def _turn(self, change: PolicyChange) -> None:
        await asyncio.sleep(change.after_seconds)
        await self.turn(change.update)

    async def turn(self, update: dict[str, str]) -> None:
        """Change the policy of the live run."""
        with _over(), suppress(WorkflowUpdateFailedError):
            await patiently(lambda: self._watched.handle.execute_update("set_policy", update))


@contextmanager
def _over() -> Generator[None]:
    try:
        yield
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
