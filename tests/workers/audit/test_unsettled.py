"""Runs that did not end by themselves: what they had under way is named, and is no violation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from forerun.workers.audit.auditor import audit
from tests.forging import Forged, attributes

ENDS: dict[str, dict[str, Any]] = {
    "terminated": {
        "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED",
        "workflowExecutionTerminatedEventAttributes": {"reason": "enough"},
    },
    "timed_out": {
        "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT",
        "workflowExecutionTimedOutEventAttributes": {"retryState": "RETRY_STATE_TIMEOUT"},
    },
}


def _broken_off(at: dict[str, Any], forged: Forged, end: str | None) -> Forged:
    """The history up to an event, and one more that ends the run, if any does."""
    forged.events = forged.events[: int(at["eventId"])]
    if end is not None:
        number = str(len(forged.events) + 1)
        time = forged.close["eventTime"]
        forged.events.append({"eventId": number, "eventTime": time, **ENDS[end]})
    return forged


@pytest.mark.parametrize("end", ["terminated", "timed_out", None])
async def test_what_was_under_way_is_named_with_its_worst_case(end: str | None) -> None:
    """The draft runs ahead: what its decision reserved is what it can have cost at most."""
    forged = Forged("miss")
    started = forged.of_type("ACTIVITY_TASK_CANCEL_REQUESTED")[0]

    report = await audit(_broken_off(started, forged, end).history())

    assert not report.violations, "\n".join(map(str, report.violations))
    assert report.status == (end or "open")
    assert report.unsettled is not None
    assert report.unsettled.speculations == ("ahead:lookup:1", "ahead:draft:2")
    assert report.unsettled.worst_usd == Decimal("0.001226")
    assert report.unsettled.calls == ("lookup",)
    assert report.replay.state == "passed"


@pytest.mark.parametrize("name", ["hit", "miss", "cancelled", "budget_zero"])
async def test_a_run_is_clean_at_every_moment(name: str) -> None:
    """Wherever the history is cut off: an audit of a live run raises no false alarm."""
    events = Forged(name).events
    for at in [event for event in events if "TASK_COMPLETED" in event["eventType"]]:
        report = await audit(_broken_off(at, Forged(name), None).history())

        assert not report.violations, f"up to {at['eventId']}: {report.violations}"


async def test_a_terminated_run_is_held_to_what_it_did() -> None:
    """Not to settle is no violation; to have launched without a decision still is one."""
    forged = Forged("miss")
    _broken_off(forged.of_type("ACTIVITY_TASK_CANCEL_REQUESTED")[0], forged, "terminated")
    forged.drop(forged.marker("decision"))

    report = await audit(forged.history())

    launch = int(forged.scheduled("ahead:lookup:1")["eventId"])
    assert any(v.event_id == launch and v.check == "launch" for v in report.violations)


async def test_a_speculation_that_never_ended_is_missed_at_a_proper_end() -> None:
    """A run that closed by itself must have joined and settled everything."""
    forged = Forged("miss")
    forged.drop(forged.marker("outcome", outcome="cut"), forged.ended("ahead:draft:2"))

    report = await audit(forged.history())

    launch = forged.scheduled("ahead:draft:2")
    assert attributes(launch)["activityId"] == "ahead:draft:2"
    assert any(
        v.event_id == int(launch["eventId"]) and v.check == "outcome" for v in report.violations
    )
