"""Ways to make another run's history of one, each leaving it well-formed."""

from __future__ import annotations

from tests.forging import Forged, attributes

LOOKUP, DRAFT = "ahead:lookup:1", "ahead:draft:2"


def another_activity_type(forged: Forged) -> None:
    """As if `model_call` had been renamed."""
    attributes(forged.scheduled(DRAFT))["activityType"]["name"] = "call_model"


def another_activity_id(forged: Forged) -> None:
    """As if speculations had been counted from 2."""
    attributes(forged.scheduled(DRAFT))["activityId"] = "ahead:draft:3"


def one_launch_less(forged: Forged) -> None:
    """As if the draft had not been launched: it goes with its start and its end."""
    forged.drop_activity(DRAFT)


def no_commit(forged: Forged) -> None:
    """As if the effect were no longer committed."""
    forged.drop_activity("commit:send")


def two_launches_swapped(forged: Forged) -> None:
    """As if speculation came before the roots."""
    one, other = attributes(forged.scheduled("classify")), attributes(forged.scheduled(LOOKUP))
    kept = dict(one)
    one.clear()
    one.update(other)
    other.clear()
    other.update(kept)


def held_instead_of_launched(forged: Forged) -> None:
    """As if `decide` had said no: the workflow branches on its record alone."""
    with forged.record("decision") as decision:
        decision["verdict"] = "hold"


def no_decision(forged: Forged) -> None:
    """As if the launch had been decided without a record."""
    forged.drop(forged.marker("decision"))


TAMPERINGS = [
    another_activity_type,
    another_activity_id,
    one_launch_less,
    no_commit,
    two_launches_swapped,
    held_instead_of_launched,
    no_decision,
]
