"""Histories made to lie: real ones, with something in them altered, and well-formed all the same.

Events stay numbered and refer to each other by their new numbers, so what is wrong with such a
history is what it says, and not its form.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from temporalio.client import WorkflowHistory

from forerun.speculation.record import GENESIS, seal_of
from tests.replay.scenario import HISTORIES

Event = dict[str, Any]
Record = dict[str, Any]


class Forged:
    """The kept history of this name, for altering."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[Event] = json.loads((HISTORIES / f"{name}.json").read_text())["events"]

    def history(self) -> WorkflowHistory:
        """As an auditor gets it."""
        return WorkflowHistory.from_json(self.name, {"events": self.events})

    def scheduled(self, activity_id: str) -> Event:
        """The event that scheduled an activity."""
        return next(
            event
            for event in self.of_type("ACTIVITY_TASK_SCHEDULED")
            if attributes(event)["activityId"] == activity_id
        )

    def ended(self, activity_id: str) -> Event:
        """The event that ended an activity."""
        own = self.scheduled(activity_id)["eventId"]
        return next(
            event
            for event in reversed(self.events)
            if attributes(event).get("scheduledEventId") == own
        )

    def of_type(self, name: str) -> list[Event]:
        """The events of a type, such as `MARKER_RECORDED`."""
        return [event for event in self.events if event["eventType"] == f"EVENT_TYPE_{name}"]

    def signal(self, nth: int = 0) -> Event:
        """A signal."""
        return self.of_type("WORKFLOW_EXECUTION_SIGNALED")[nth]

    @property
    def close(self) -> Event:
        """The last event."""
        return self.events[-1]

    @contextmanager
    def asked(self, activity_id: str) -> Generator[Any]:
        """The argument of an activity, to be changed in place."""
        with value(attributes(self.scheduled(activity_id))["input"]) as argument:
            yield argument

    @contextmanager
    def returned(self, activity_id: str) -> Generator[Any]:
        """The result of an activity, to be changed in place."""
        with value(attributes(self.ended(activity_id))["result"]) as result:
            yield result

    @contextmanager
    def result(self) -> Generator[Any]:
        """The result of the run, to be changed in place."""
        with value(_result(self.close)) as result:
            yield result

    @contextmanager
    def records(self, marker: Event) -> Generator[list[Record]]:
        """The records of a marker, to be changed in place."""
        with value(attributes(marker)["details"]["result"]) as content:
            yield content["records"]

    def marker(self, kind: str, **fields: Any) -> Event:
        """The first marker with a record of this kind that has these fields."""
        for marker in self.of_type("MARKER_RECORDED"):
            with self.records(marker) as records:
                if any(_is(record, kind, fields) for record in records):
                    return marker
        raise LookupError(f"{self.name} has no {kind} with {fields}")

    @contextmanager
    def record(self, kind: str, **fields: Any) -> Generator[Record]:
        """The first record of this kind that has these fields, to be changed in place."""
        with self.records(self.marker(kind, **fields)) as records:
            yield next(record for record in records if _is(record, kind, fields))

    def drop(self, *gone: Event) -> None:
        """Leave events out."""
        self.events = [event for event in self.events if not any(event is one for one in gone)]
        self._renumber()

    def drop_activity(self, activity_id: str) -> None:
        """Leave an activity out, from its start to its end."""
        own = self.scheduled(activity_id)["eventId"]
        about = [e for e in self.events if own in (e["eventId"], *_references(e).values())]
        self.drop(*about)

    def move(self, event: Event, *, behind: Event) -> None:
        """Put an event elsewhere."""
        self.events = [one for one in self.events if one is not event]
        self._insert(event, behind)
        self._renumber()

    def repeat(self, event: Event, *, behind: Event) -> Event:
        """Put a copy of an event elsewhere; the copy."""
        again = copy.deepcopy(event)
        again["eventId"] = f"another {event['eventId']}"
        self._insert(again, behind)
        self._renumber()
        return again

    def reseal(self) -> None:
        """Chain all records anew, and name the last one in the result."""
        previous = GENESIS
        for marker in self.of_type("MARKER_RECORDED"):
            with self.records(marker) as records:
                for record in records:
                    record["previous"] = previous
                    record["sha256"] = previous = seal_of(record)
        if _result(self.close) is not None:
            with self.result() as result:
                result["last_record"] = previous

    def _insert(self, event: Event, behind: Event) -> None:
        place = next(i for i, one in enumerate(self.events, start=1) if one is behind)
        self.events.insert(place, event)

    def _renumber(self) -> None:
        numbers = {event["eventId"]: str(i) for i, event in enumerate(self.events, start=1)}
        for event in self.events:
            referred = _references(event).items()
            attributes(event).update({key: numbers.get(old, "0") for key, old in referred})
            event["eventId"] = numbers[event["eventId"]]


def attributes(event: Event) -> dict[str, Any]:
    """What an event says, whatever its type."""
    return next(v for k, v in event.items() if k.endswith("EventAttributes"))


@contextmanager
def value(payloads: Any) -> Generator[Any]:
    """The one JSON value of these payloads, to be changed in place."""
    payload = payloads["payloads"][0]
    content = json.loads(base64.b64decode(payload["data"]))
    yield content
    payload["data"] = base64.b64encode(json.dumps(content).encode()).decode()


def _is(record: Record, kind: str, fields: dict[str, Any]) -> bool:
    return record.get("kind") == kind and all(record.get(k) == v for k, v in fields.items())


def _result(close: Event) -> Any:
    """The payloads with the result of a run, also of one that failed with it; None without one."""
    said = attributes(close)
    failure = said.get("failure", {}).get("applicationFailureInfo", {})
    return said.get("result") or failure.get("details")


def _references(event: Event) -> dict[str, str]:
    """What an event says about others."""
    return {k: v for k, v in attributes(event).items() if k.endswith("EventId")}
