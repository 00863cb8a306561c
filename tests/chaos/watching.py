"""A run as it is seen while it lives: its events as they come, through resets and outages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError, RPCStatusCode

from forerun.activities.intent import STAGE
from forerun.workers.audit.form import CLOSED, kind_of
from forerun.workers.audit.run import AHEAD, COMMIT, MODEL_CALL, TOOL_CALL
from tests.chaos.faults import Moment
from tests.chaos.house import House
from tests.chaos.patience import AGAIN_SECONDS

LOOK_SECONDS = 0.05
MOST_EVENTS = 10_000
"""A hundred times what a run here has: one with more goes round in circles."""

Event = Any


class Watched:
    """One workflow id: the events of the run that is current, and the ids of all its runs."""

    def __init__(self, house: House, id: str, run_id: str, tag: str) -> None:
        self.id = id
        self.run_ids = [run_id]
        self.events: list[Event] = []
        self._house = house
        self._tag = tag
        self._news = asyncio.Event()

    @property
    def handle(self) -> Any:
        """Of whichever run is current; untyped, as the SDK leaves messages by name."""
        return self._house.client.get_workflow_handle(self.id)

    @property
    def closed(self) -> bool:
        """Whether the current run is over."""
        return bool(self.events) and kind_of(self.events[-1]) in CLOSED

    def moved(self, run_id: str) -> None:
        """It was reset, and goes on in another run."""
        if run_id not in self.run_ids:
            self.run_ids.append(run_id)
            self.events = []
            self._tell()

    async def follow(self) -> None:
        """Take in events until cancelled."""
        while True:
            run_id = self.run_ids[-1]
            try:
                await self._read(run_id)
            except RPCError as error:
                if error.status is RPCStatusCode.INVALID_ARGUMENT:
                    raise
            if self.closed:
                await self.until(lambda run_id=run_id: self.run_ids[-1] != run_id)
            await asyncio.sleep(AGAIN_SECONDS)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that an event tells."""
        while not holds():
            await self._news.wait()

    async def hangs(self, quiet_seconds: float) -> NoReturn:
        """Raise TimeoutError once nothing was heard of it for so long, or there is no end of it."""
        while True:
            if len(self.events) > MOST_EVENTS:
                raise TimeoutError
            async with asyncio.timeout(None if self.closed else quiet_seconds):
                await self._news.wait()

    async def reaches(self, moments: Sequence[Moment], nth: int) -> None:
        """Wait until the first of these was seen for the nth time."""
        told = [moment for moment in moments if moment in _BY_EVENT]
        looked_for = [moment for moment in moments if moment not in _BY_EVENT]
        while not (self._told(told, nth) or self._found(looked_for, nth)):
            if looked_for:
                await asyncio.sleep(LOOK_SECONDS)  # no event tells
            else:
                await self._news.wait()

    def _told(self, moments: Sequence[Moment], nth: int) -> bool:
        return any(sum(map(_BY_EVENT[moment], self.events)) >= nth for moment in moments)

    def _found(self, moments: Sequence[Moment], nth: int) -> bool:
        return any(self._seen_elsewhere(moment) >= nth for moment in moments)

    async def _read(self, run_id: str) -> None:
        handle: Any = self._house.client.get_workflow_handle(self.id, run_id=run_id)
        known = self.events[-1].event_id if self.events else 0
        async for event in handle.fetch_history_events(wait_new_event=True):
            if self.run_ids[-1] != run_id:
                return
            if event.event_id > known:
                self.events.append(event)
                self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _seen_elsewhere(self, moment: Moment) -> int:
        match moment:
            case Moment.STREAMING:
                mine = self._house.standin.requests(self._tag)
                return sum(r["outcome"] == "running" and r["delivered_tokens"] > 0 for r in mine)
            case Moment.STAGED:
                rows = self._house.rows("drafts", self.id)
                return sum(row["state"] != "committed" for row in rows)
            case _:
                drafts = self._house.rows("drafts", self.id)
                committed = sum(row["state"] == "committed" for row in drafts)
                return committed + len(self._house.rows("outbox", self.id))


def _scheduled(event: Event) -> tuple[str, str]:
    """Id and type of an activity."""
    attributes = event.activity_task_scheduled_event_attributes
    return attributes.activity_id, attributes.activity_type.name


def _is_call(event: Event) -> bool:
    id, type = _scheduled(event)
    return type in (MODEL_CALL, TOOL_CALL) and not id.startswith(AHEAD)


_BY_EVENT: dict[Moment, Callable[[Event], bool]] = {
    Moment.TASK: lambda e: e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    Moment.RECORD: lambda e: e.event_type == EventType.EVENT_TYPE_MARKER_RECORDED,
    Moment.CUT: lambda e: e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    Moment.CALL: _is_call,
    Moment.LAUNCH: lambda e: _scheduled(e)[0].startswith(AHEAD),
    Moment.CLAIM: lambda e: _scheduled(e)[1] == "promote",
    Moment.STAGING: lambda e: _scheduled(e)[1] == STAGE,
    Moment.COMMITTING: lambda e: _scheduled(e)[1] == COMMIT,
}
