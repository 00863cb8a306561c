"""Results, dials and the form of the history itself altered."""

from __future__ import annotations

from tests.forging import Event, Forged, attributes, value
from tests.workers.audit.tampering import Tampering, collecting

ENDS: list[Tampering] = []
altering = collecting(ENDS)


@altering("hit", "output")
def another_output(forged: Forged) -> Event:
    with forged.result() as result:
        result["outputs"]["draft"] = "another"
    return forged.close


@altering("hit", "output")
def a_removed_output(forged: Forged) -> Event:
    with forged.result() as result:
        del result["outputs"]["draft"]
    return forged.close


@altering("hit", "effect")
def another_effect(forged: Forged) -> Event:
    with forged.result() as result:
        result["effects"]["send"] = {"state": "rejected", "by": "bob", "receipt": None}
    return forged.close


@altering("hit", "result")
def another_skip(forged: Forged) -> Event:
    with forged.result() as result:
        result["skipped"] = ["lookup"]
    return forged.close


@altering("hit", "ledger.spent_usd")
def spent_dollars(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["spent_usd"] = "0.000001"
    return forged.close


@altering("miss", "ledger.wasted_usd")
def wasted_dollars_of_the_run(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["wasted_usd"] = "0"
    return forged.close


@altering("miss", "ledger.speculations")
def a_count_of_speculations(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["speculations"]["cut"] = 0
    return forged.close


@altering("hit", "ledger.saved_seconds")
def saved_seconds(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["saved_seconds"] = 60.0
    return forged.close


@altering("hit", "result.ledger.sequential_seconds")
def seconds_without_speculation(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["sequential_seconds"] += 60
        result["ledger"]["saved_seconds"] += 60
    return forged.close


@altering("hit", "ledger")
def a_ledger_that_is_none(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"] = "paid"
    return forged.close


@altering("node_failure", "error")
def an_error_told_otherwise(forged: Forged) -> Event:
    attributes(forged.close)["failure"]["message"] = "bad luck"
    return forged.close


@altering("miss", "ForerunWastedUsd")
def a_search_attribute(forged: Forged) -> Event:
    last = forged.of_type("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES")[-1]
    fields = attributes(last)["searchAttributes"]["indexedFields"]
    fields["ForerunWastedUsd"]["data"] = "MA=="
    return last


@altering("no_longer_pays", "usd_per_second")
def a_turned_dial(forged: Forged) -> Event:
    update = forged.of_type("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")[0]
    with value(attributes(update)["acceptedRequest"]["input"]["args"]) as change:
        change["usd_per_second"] = "0.0000002"
    return forged.marker("decision", verdict="cut")


@altering("no_longer_pays", "set_policy")
def a_dial_out_of_range(forged: Forged) -> Event:
    update = forged.of_type("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")[0]
    with value(attributes(update)["acceptedRequest"]["input"]["args"]) as change:
        change["usd_per_second"] = "-1"
    return update


@altering("budget_zero", "budget")
def a_budget_that_is_exceeded(forged: Forged) -> Event:
    """The stop switch, turned before the launch instead of behind it."""
    update = forged.of_type("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")[0]
    launch = forged.scheduled("ahead:draft:2")
    forged.move(update, behind=forged.ended("ahead:lookup:1"))
    return launch


@altering("hit", "arguments.prompt")
def another_spec(forged: Forged) -> Event:
    with value(attributes(forged.events[0])["input"]) as spec:
        spec["nodes"]["classify"]["prompt"] = "Classify this"
    return forged.scheduled("classify")


@altering("hit", "event_id")
def an_event_cut_out(forged: Forged) -> Event:
    """Without numbering the rest anew."""
    del forged.events[2]
    return {"eventId": "3"}


@altering("hit", "events")
def events_after_the_end(forged: Forged) -> Event:
    close = forged.close
    forged.move(close, behind=forged.events[-3])
    return close


@altering("approximation", "approximations")
def an_approximation_that_is_not_listed(forged: Forged) -> Event:
    with forged.result() as result:
        result["approximations"] = []
    return forged.close


@altering("bought", "ledger.guess_usd")
def another_price_of_guessing(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["guess_usd"] = "0"
    return forged.close


@altering("hit", "events")
def the_end_of_a_task_moved(forged: Forged) -> Event:
    """No server writes anything between the start of a workflow task and its end."""
    started = forged.of_type("WORKFLOW_TASK_STARTED")[1]
    forged.move(forged.of_type("WORKFLOW_TASK_COMPLETED")[1], behind=forged.close)
    return started


@altering("hit", "event_type")
def an_event_of_another_type(forged: Forged) -> Event:
    event = forged.scheduled("classify")
    event["eventType"] = "EVENT_TYPE_TIMER_STARTED"
    return event


@altering("hit", "events")
def a_workflow_task_that_never_started(forged: Forged) -> Event:
    completed = forged.of_type("WORKFLOW_TASK_COMPLETED")[1]
    forged.drop(forged.of_type("WORKFLOW_TASK_STARTED")[1])
    return completed
