"""When things happened: by the server's clock, in Unix milliseconds.

Nothing is proved by times, as clocks differ: they are for drawing what happened, and checks do
without them. A run itself only lives at the starts of its workflow tasks: it asks for a call at one,
and hears of its end at another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from forerun.workers.audit.form import kind_of


class Clock:
    """The times of one history's events. An event that it does not have happened at its start."""

    def __init__(self, events: Sequence[Any]) -> None:
        self._times = {event.event_id: event.event_time.ToMilliseconds() for event in events}
        self._first = self._times.get(events[0].event_id, 0)
        tasks = [event for event in events if kind_of(event) == "workflow_task_started"]
        self._tasks = [event.event_id for event in tasks]

    def at(self, event_id: int) -> int:
        """When an event happened."""
        return self._times.get(event_id, self._first)

    def asked(self, event_id: int) -> int:
        """When the workflow task began that led to this command."""
        before = bisect_left(self._tasks, event_id)
        return self.at(self._tasks[before - 1]) if before else self.at(event_id)

    def heard(self, event_id: int) -> int | None:
        """When the run heard of this event; None if it has not."""
        after = bisect_right(self._tasks, event_id)
        return self.at(self._tasks[after]) if after < len(self._tasks) else None

    @property
    def times(self) -> dict[int, int]:
        """Of every event, by its id."""
        return dict(self._times)
