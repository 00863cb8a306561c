"""Ways to make another run's history of one, each leaving it well-formed: events stay numbered."""

from __future__ import annotations

import base64
import json
from typing import Any

Events = list[dict[str, Any]]

LOOKUP, DRAFT = "ahead:lookup:1", "ahead:draft:2"


def another_activity_type(events: Events) -> None:
    """As if `model_call` had been renamed."""
    _scheduled(events, DRAFT)["activityType"]["name"] = "call_model"


def another_activity_id(events: Events) -> None:
    """As if speculations had been counted from 2."""
    _scheduled(events, DRAFT)["activityId"] = "ahead:draft:3"


def one_launch_less(events: Events) -> None:
    """As if the draft had not been launched: it goes with its start and its end."""
    _drop(events, _about(events, DRAFT))


def no_commit(events: Events) -> None:
    """As if the effect were no longer committed."""
    _drop(events, _about(events, "commit:send"))


def two_launches_swapped(events: Events) -> None:
    """As if speculation came before the roots."""
    one, other = _scheduled(events, "classify"), _scheduled(events, LOOKUP)
    kept = dict(one)
    one.clear()
    one.update(other)
    other.clear()
    other.update(kept)


def held_instead_of_launched(events: Events) -> None:
    """As if `decide` had said no: the workflow branches on its record alone."""
    payload = _decision(events)["markerRecordedEventAttributes"]["details"]["result"]["payloads"][0]
    marker = json.loads(base64.b64decode(payload["data"]))
    marker["records"][0]["verdict"] = "hold"
    payload["data"] = base64.b64encode(json.dumps(marker).encode()).decode()


def no_decision(events: Events) -> None:
    """As if the launch had been decided without a record."""
    _drop(events, {_decision(events)["eventId"]})


TAMPERINGS = [
    another_activity_type,
    another_activity_id,
    one_launch_less,
    no_commit,
    two_launches_swapped,
    held_instead_of_launched,
    no_decision,
]


def _scheduled(events: Events, activity_id: str) -> dict[str, Any]:
    """What an activity was scheduled with."""
    key = "activityTaskScheduledEventAttributes"
    return next(e[key] for e in events if key in e and e[key]["activityId"] == activity_id)


def _about(events: Events, activity_id: str) -> set[str]:
    """The ids of all events of an activity."""
    scheduled = _scheduled(events, activity_id)
    own = next(e["eventId"] for e in events if scheduled in e.values())
    return {e["eventId"] for e in events if own in (e["eventId"], *_references(e).values())}


def _decision(events: Events) -> dict[str, Any]:
    """The marker of the first decision, which launched the lookup."""
    markers = (event for event in events if "markerRecordedEventAttributes" in event)
    next(markers)  # the opening
    return next(markers)


def _references(event: dict[str, Any]) -> dict[str, str]:
    """What an event says about others."""
    attributes = next(v for k, v in event.items() if k.endswith("EventAttributes"))
    return {k: v for k, v in attributes.items() if k.endswith("EventId")}


def _drop(events: Events, gone: set[str]) -> None:
    """Leave events out; those behind them move up."""
    events[:] = [event for event in events if event["eventId"] not in gone]
    renumbered = {event["eventId"]: str(number) for number, event in enumerate(events, 1)}
    for event in events:
        attributes = next(v for k, v in event.items() if k.endswith("EventAttributes"))
        attributes.update({k: renumbered.get(v, "0") for k, v in _references(event).items()})
        event["eventId"] = renumbered[event["eventId"]]
