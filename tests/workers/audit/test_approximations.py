"""The law of approximations, by itself: whatever is altered about one, it speaks up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from forerun.workers.audit.laws import comparisons
from forerun.workers.audit.reading import read_run
from tests.forging import Event, Forged, attributes, value

NAME = "approximation"


def violated(forged: Forged) -> set[tuple[int, str]]:
    """Event and check of each violation."""
    run, _ = read_run(forged.history())
    return {(one.event_id, one.check) for one in comparisons.check(run)}


def a_verdict_without_a_model(forged: Forged) -> tuple[Event, str]:
    asked = next(call for call in _activities(forged) if call.startswith("compare:"))
    forged.drop_activity(asked)
    return forged.marker("compared"), "tier"


def dollars_of_a_verdict(forged: Forged) -> tuple[Event, str]:
    with forged.record("compared") as compared:
        compared["best_usd"] = "0"
    return forged.marker("compared"), "best_usd"


def the_answer_compared_with(forged: Forged) -> tuple[Event, str]:
    with forged.record("compared") as compared:
        compared["actual_sha256"] = "1" * 64
    return forged.marker("compared"), "actual_sha256"


def a_verdict_that_is_none(forged: Forged) -> tuple[Event, str]:
    with forged.record("compared") as compared:
        compared["tier"] = None
    return forged.marker("outcome"), "approximates"


def a_guess_that_was_wrong_after_all(forged: Forged) -> tuple[Event, str]:
    with forged.record("guess") as guess:
        guess["tier"] = None
    return forged.marker("guess"), "tier"


def a_tier_that_was_not_allowed(forged: Forged) -> tuple[Event, str]:
    with value(attributes(forged.events[0])["input"]) as spec:
        spec["nodes"]["summary"]["equivalence"] = 2
    return forged.marker("compared"), "tier"


def an_outcome_that_hides_it(forged: Forged) -> tuple[Event, str]:
    with forged.record("outcome") as outcome:
        outcome["approximates"] = []
    return forged.close, "approximations"


def a_result_that_hides_it(forged: Forged) -> tuple[Event, str]:
    with forged.result() as result:
        result["approximations"] = []
    return forged.close, "approximations"


def a_commit_that_takes_a_blind_approval(forged: Forged) -> tuple[Event, str]:
    with forged.asked("commit:send") as request:
        request["exact"] = False
    return forged.scheduled("commit:send"), "exact"


@pytest.mark.parametrize(
    "alter",
    [
        a_verdict_without_a_model,
        dollars_of_a_verdict,
        the_answer_compared_with,
        a_verdict_that_is_none,
        a_guess_that_was_wrong_after_all,
        a_tier_that_was_not_allowed,
        an_outcome_that_hides_it,
        a_result_that_hides_it,
        a_commit_that_takes_a_blind_approval,
    ],
    ids=lambda alter: alter.__name__,
)
def test_it_names_what_is_altered(alter: Callable[[Forged], tuple[Event, str]]) -> None:
    """And says nothing of a history that is as it was."""
    forged = Forged(NAME)
    assert violated(forged) == set()

    event, check = alter(forged)

    assert (int(event["eventId"]), check) in violated(forged)


def _activities(forged: Forged) -> list[str]:
    scheduled = forged.of_type("ACTIVITY_TASK_SCHEDULED")
    return [attributes(event)["activityId"] for event in scheduled]
