"""One thing altered in a real history, in every way that we could think of.

Each alteration returns the event at which it must be noticed, and names the check that must do so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.forging import Event, Forged, attributes, value

FIRST_BET = {"bet": "route@faf2805a9391"}
"""The first decision of the history `breadth`: it launches one model call."""
CUT = {"outcome": "cut"}
ONES = "1" * 64


@dataclass(frozen=True, slots=True)
class Tampering:
    """An alteration of the history of this name; `check` is the one that must name it."""

    name: str
    history: str
    check: str
    alter: Callable[[Forged], Event]


def _field(
    name: str, history: str, kind: str, where: dict[str, Any], path: str, to: Any, check: str
) -> Tampering:
    """One field of one record set to another value; `path` is like `calls.0.share`."""

    def alter(forged: Forged) -> Event:
        marker = forged.marker(kind, **where)
        with forged.record(kind, **where) as record:
            *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
            holder: Any = record
            for step in way:
                holder = holder[step]
            assert holder[last] != to
            holder[last] = to
        return marker

    return Tampering(name, history, check, alter)


def _decision(name: str, path: str, to: Any, check: str) -> Tampering:
    return _field(name, "breadth", "decision", FIRST_BET, path, to, check)


def _outcome(name: str, path: str, to: Any, check: str) -> Tampering:
    return _field(name, "miss", "outcome", CUT, path, to, check)


def _guess(name: str, path: str, to: Any, check: str) -> Tampering:
    return _field(name, "hit", "guess", {}, path, to, check)


FIELDS = [
    _decision("a price", "calls.0.stake.rates.output_usd_per_mtok", "11", "output_usd"),
    _decision("P", "p", "0.9", "p"),
    _decision("a Beta count", "assumptions.0.belief.alpha", "9", "p"),
    _decision("EV", "ev_usd", "9", "ev_usd"),
    _decision("the threshold", "threshold_usd", "0.0001", "threshold_usd"),
    _decision("the verdict", "verdict", "hold", "verdict"),
    _decision("a verdict of no decision", "verdict", "continue", "verdict"),
    _decision("alpha", "alpha", "0.5", "alpha"),
    _decision("what a second is worth", "usd_per_second", "2", "usd_per_second"),
    _decision("a leg of a path", "path_without.0.ms", 3000, "seconds_saved"),
    _decision("L", "seconds_saved", "5", "seconds_saved"),
    _decision("the tokens of the input", "calls.0.stake.input_tokens", 99, "input_usd"),
    _decision("the tokens of the output", "calls.0.stake.output_tokens", 59, "output_usd"),
    _decision("the dollars of the input", "calls.0.stake.input_usd", "1", "input_usd"),
    _decision("a share", "calls.0.share", "0.5", "cost_usd"),
    _decision("the part of a call in C", "calls.0.cost_usd", "0.0001", "cost_usd"),
    _decision("C", "cost_usd", "0.0001", "cost_usd"),
    _decision("what is reserved for a call", "calls.0.stake.worst_usd", "0.0001", "worst_usd"),
    _decision("R", "worst_usd", "0.0001", "worst_usd"),
    _decision("the dollars of later rounds", "later.cost_usd", "0.1", "cost_usd"),
    _decision("the funds", "funds_usd", "50", "funds_usd"),
    _decision("a bound of P", "p_bound", "0.1", "p"),
    _decision("a guessed value", "assumptions.0.value_sha256", ONES, "guess"),
    _decision("the label of a guess", "assumptions.0.label", "x", "assumptions"),
    _decision("the bet", "bet", "route@000000000000", "bet"),
    _decision("the question", "question", "what now?", "question"),
    _decision("the time of a decision", "at", "2026-01-01T00:00:00+00:00", "at"),
    _decision("the rule", "rule", "forerun-rule/0", "rule"),
    _decision("the kind of a record", "kind", "hunch", "record"),
    _decision("a number spelled otherwise", "p", "0.50", "record"),
    _decision("a number that is none", "ev_usd", "much", "record"),
    _decision("a number without end", "ev_usd", "1e999999999", "record"),
    _field("a held bet", "held", "decision", {}, "verdict", "launch", "verdict"),
    _field("why a bet is held", "held", "decision", {}, "reason", "budget", "verdict"),
    _field(
        "what is left of a call", "no_longer_pays", "decision", {"verdict": "cut"},
        "calls.0.stake.output_tokens", 7, "output_tokens",
    ),
    _field(
        "why a bet is cut", "no_longer_pays", "decision", {"verdict": "cut"},
        "reason", "saves no time any more", "verdict",
    ),
    _outcome("how a speculation ended", "outcome", "discarded", "outcome"),
    _outcome("a cut that is promoted", "outcome", "promoted", "outcome"),
    _outcome("wasted dollars", "wasted_usd", "0", "wasted_usd"),
    _outcome("the best dollars", "best_usd", "0.0001", "best_usd"),
    _outcome("the low dollars", "low_usd", "0", "low_usd"),
    _outcome("the tokens of a cut call", "usage.output_tokens", 5, "usage"),
    _outcome("delivered tokens", "delivered_tokens", 5, "delivered_tokens"),
    _outcome("the seconds of a call", "seconds", "0.1", "seconds"),
    _outcome("how dollars are known", "basis", "exact", "basis"),
    _outcome("the node of an outcome", "node", "lookup", "node"),
    _outcome("the call of an outcome", "fingerprint", ONES, "fingerprint"),
    _outcome("the speculation of an outcome", "speculation", "ahead:draft:7", "outcome"),
    _outcome("why it was cut", "reason", "somebody said so", "reason"),
    _field(
        "a promotion", "hit", "outcome", {"node": "draft"}, "outcome", "discarded", "outcome"
    ),
    _field(
        "who claimed it", "hit", "outcome", {"node": "draft"}, "reason", "claimed by send", "reason"
    ),
    _guess("a right guess", "right", False, "right"),
    _guess("the tier of a guess", "tier", 0, "tier"),
    _guess("the actual value", "actual_sha256", ONES, "actual_sha256"),
    _guess("the P of a guess", "p", "0.7", "p"),
    _guess("whether a guess was bet on", "launched", False, "launched"),
    _field("the budget at the start", "hit", "opening", {}, "policy.budget_usd", "6", "policy"),
    _field("the version", "hit", "opening", {}, "version", "0.0.1", "version"),
    _field("the spec's digest", "hit", "opening", {}, "spec_sha256", ONES, "spec_sha256"),
]  # fmt: skip


def a_declared_price(forged: Forged) -> Event:
    with forged.record("opening") as opening:
        opening["operations"]["kb.search"]["usd"] = "0.5"
    return forged.ended("ahead:lookup:1")


def a_gate_that_asks_nobody(forged: Forged) -> Event:
    with forged.record("opening") as opening:
        opening["operations"]["outbox.put"]["approvals"] = 2
    return forged.scheduled("commit:send")


def an_unknown_field(forged: Forged) -> Event:
    with forged.record("decision", **FIRST_BET) as decision:
        decision["hunch"] = "strong"
    return forged.marker("decision", **FIRST_BET)


def a_marker_with_more(forged: Forged) -> Event:
    marker = forged.marker("decision")
    with value(attributes(marker)["details"]["result"]) as content:
        content["note"] = "nothing to see here"
    return marker


def a_removed_decision(forged: Forged) -> Event:
    forged.drop(forged.marker("decision", **FIRST_BET))
    return forged.scheduled("ahead:draft:1")


def a_decision_removed_from_its_batch(forged: Forged) -> Event:
    with forged.records(forged.marker("decision")) as records:
        del records[1]
    return forged.scheduled("ahead:draft:2")


def a_removed_outcome(forged: Forged) -> Event:
    forged.drop(forged.marker("outcome", **CUT))
    return forged.scheduled("ahead:draft:2")


def an_outcome_removed_from_its_batch(forged: Forged) -> Event:
    marker = forged.marker("outcome", node="lookup")
    with forged.records(marker) as records:
        del records[0]
    return forged.scheduled("ahead:lookup:1")


def a_duplicated_outcome(forged: Forged) -> Event:
    marker = forged.marker("outcome", **CUT)
    return forged.repeat(marker, behind=marker)


def a_moved_outcome(forged: Forged) -> Event:
    marker = forged.marker("outcome", **CUT)
    forged.move(marker, behind=forged.scheduled("ahead:draft:2"))
    return marker


def a_duplicated_guess(forged: Forged) -> Event:
    marker = forged.marker("guess")
    with forged.records(marker) as records:
        records.append(dict(records[-1]))
    return marker


def two_records_swapped(forged: Forged) -> Event:
    marker = forged.marker("decision")
    with forged.records(marker) as records:
        records.reverse()
    return forged.marker("decision")


def an_approval_moved_behind_the_commit(forged: Forged) -> Event:
    forged.move(forged.signal(), behind=forged.ended("commit:send"))
    return forged.scheduled("commit:send")


def a_removed_approval(forged: Forged) -> Event:
    forged.drop(forged.signal())
    return forged.scheduled("commit:send")


def an_approval_of_something_else(forged: Forged) -> Event:
    with value(attributes(forged.signal())["input"]) as approval:
        approval["digest"] = ONES
    return forged.scheduled("commit:send")


def an_approval_by_somebody_else(forged: Forged) -> Event:
    with value(attributes(forged.signal())["input"]) as approval:
        approval["by"] = "eve"
    return forged.ended("commit:send")


def an_approval_that_was_a_rejection(forged: Forged) -> Event:
    attributes(forged.signal())["signalName"] = "reject"
    return forged.scheduled("commit:send")


def a_second_commit(forged: Forged) -> Event:
    again = forged.repeat(forged.scheduled("commit:send"), behind=forged.ended("commit:send"))
    attributes(again)["activityId"] = "commit:send again"
    return again


def a_commit_of_something_else(forged: Forged) -> Event:
    with forged.asked("commit:send") as request:
        request["arguments"]["to"] = "eve@example.com"
    return forged.scheduled("commit:send")


def a_commit_before_its_ancestry(forged: Forged) -> Event:
    commit = forged.scheduled("commit:send")
    forged.move(forged.ended("draft"), behind=commit)
    return commit


def another_receipt(forged: Forged) -> Event:
    with forged.returned("commit:send") as receipt:
        receipt["idempotency_key"] = "hit/another/send"
    return forged.ended("commit:send")


def a_swapped_argument(forged: Forged) -> Event:
    with forged.asked("ahead:draft:2") as request:
        request["prompt"] = "Draft something else"
    return forged.scheduled("ahead:draft:2")


def a_swapped_argument_of_a_certain_call(forged: Forged) -> Event:
    with forged.asked("classify") as request:
        request["prompt"] = "Classify something else"
    return forged.scheduled("classify")


def a_swapped_argument_of_a_tool(forged: Forged) -> Event:
    with forged.asked("ahead:lookup:1") as request:
        request["arguments"]["limit"] = 2
    return forged.scheduled("ahead:lookup:1")


def arguments_that_are_none(forged: Forged) -> Event:
    with forged.asked("classify") as request:
        request.clear()
    return forged.scheduled("classify")


def a_changed_answer(forged: Forged) -> Event:
    with forged.returned("ahead:draft:2") as result:
        result["output"] = "Dear customer, send me money."
    return forged.close


def a_changed_answer_that_others_read(forged: Forged) -> Event:
    with forged.returned("ahead:lookup:1") as result:
        result["output"]["text"] = "Send me money."
    return forged.marker("decision", question="classify@faf2805a9391 ? 039a995f77e6")


def a_changed_bill(forged: Forged) -> Event:
    with forged.returned("classify") as result:
        result["bill"]["cost"] = dict.fromkeys(("low_usd", "best_usd", "high_usd"), "0.1") | {
            "basis": "exact"
        }
    return forged.ended("classify")


def a_changed_token_count(forged: Forged) -> Event:
    with forged.returned("classify") as result:
        result["bill"]["usage"]["output_tokens"] += 1
    return forged.ended("classify")


def a_changed_rate(forged: Forged) -> Event:
    with forged.returned("classify") as result:
        result["bill"]["rates"]["input_usd_per_mtok"] = "3"
    return forged.ended("classify")


def a_bill_without_order(forged: Forged) -> Event:
    with forged.returned("ahead:draft:2") as result:
        result["bill"]["cost"]["low_usd"] = "9"
    return forged.ended("ahead:draft:2")


def a_removed_answer(forged: Forged) -> Event:
    forged.drop(forged.ended("ahead:draft:2"))
    return forged.marker("outcome", node="draft")


def a_second_end(forged: Forged) -> Event:
    end = forged.ended("ahead:draft:2")
    return forged.repeat(end, behind=end)


def a_removed_launch(forged: Forged) -> Event:
    forged.drop_activity("ahead:draft:2")
    return forged.marker("outcome", node="draft")


def a_renamed_launch(forged: Forged) -> Event:
    launch = forged.scheduled("ahead:draft:2")
    attributes(launch)["activityId"] = "ahead:draft:3"
    return launch


def another_output(forged: Forged) -> Event:
    with forged.result() as result:
        result["outputs"]["draft"] = "another"
    return forged.close


def a_removed_output(forged: Forged) -> Event:
    with forged.result() as result:
        del result["outputs"]["draft"]
    return forged.close


def another_effect(forged: Forged) -> Event:
    with forged.result() as result:
        result["effects"]["send"] = {"state": "rejected", "by": "bob", "receipt": None}
    return forged.close


def another_skip(forged: Forged) -> Event:
    with forged.result() as result:
        result["skipped"] = ["lookup"]
    return forged.close


def spent_dollars(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["spent_usd"] = "0.000001"
    return forged.close


def wasted_dollars_of_the_run(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["wasted_usd"] = "0"
    return forged.close


def a_count_of_speculations(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["speculations"]["cut"] = 0
    return forged.close


def saved_seconds(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["saved_seconds"] = 60.0
    return forged.close


def seconds_without_speculation(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"]["sequential_seconds"] += 60
        result["ledger"]["saved_seconds"] += 60
    return forged.close


def a_ledger_that_is_none(forged: Forged) -> Event:
    with forged.result() as result:
        result["ledger"] = "paid"
    return forged.close


def an_error_told_otherwise(forged: Forged) -> Event:
    attributes(forged.close)["failure"]["message"] = "bad luck"
    return forged.close


def a_search_attribute(forged: Forged) -> Event:
    last = forged.of_type("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES")[-1]
    fields = attributes(last)["searchAttributes"]["indexedFields"]
    fields["ForerunWastedUsd"]["data"] = "MA=="
    return last


def a_turned_dial(forged: Forged) -> Event:
    update = forged.of_type("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")[0]
    with value(attributes(update)["acceptedRequest"]["input"]["args"]) as change:
        change["usd_per_second"] = "0.0000002"
    return forged.marker("decision", verdict="cut")


def a_dial_out_of_range(forged: Forged) -> Event:
    update = forged.of_type("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")[0]
    with value(attributes(update)["acceptedRequest"]["input"]["args"]) as change:
        change["usd_per_second"] = "-1"
    return update


def a_budget_that_is_exceeded(forged: Forged) -> Event:
    """The stop switch, turned before the launch instead of behind it."""
    update = forged.of_type("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")[0]
    launch = forged.scheduled("ahead:draft:2")
    forged.move(update, behind=forged.ended("ahead:lookup:1"))
    return launch


def another_spec(forged: Forged) -> Event:
    with value(attributes(forged.events[0])["input"]) as spec:
        spec["nodes"]["classify"]["prompt"] = "Classify this"
    return forged.scheduled("classify")


def an_event_cut_out(forged: Forged) -> Event:
    """Without numbering the rest anew."""
    del forged.events[2]
    return {"eventId": "3"}


def events_after_the_end(forged: Forged) -> Event:
    close = forged.close
    forged.move(close, behind=forged.events[-3])
    return close


CHANGES = [
    Tampering(alter.__name__.replace("_", " "), history, check, alter)
    for history, check, alter in (
        ("hit", "best_usd", a_declared_price),
        ("hit", "approval", a_gate_that_asks_nobody),
        ("breadth", "record", an_unknown_field),
        ("breadth", "marker", a_marker_with_more),
        ("breadth", "launch", a_removed_decision),
        ("breadth", "fingerprint", a_decision_removed_from_its_batch),
        ("miss", "outcome", a_removed_outcome),
        ("hit", "outcome", an_outcome_removed_from_its_batch),
        ("miss", "outcome", a_duplicated_outcome),
        ("miss", "outcome", a_moved_outcome),
        ("hit", "guess", a_duplicated_guess),
        ("breadth", "funds_usd", two_records_swapped),
        ("hit", "approval", an_approval_moved_behind_the_commit),
        ("hit", "approval", a_removed_approval),
        ("hit", "approval", an_approval_of_something_else),
        ("hit", "approved_by", an_approval_by_somebody_else),
        ("hit", "approval", an_approval_that_was_a_rejection),
        ("hit", "commit", a_second_commit),
        ("hit", "digest", a_commit_of_something_else),
        ("miss", "ancestry", a_commit_before_its_ancestry),
        ("hit", "idempotency_key", another_receipt),
        ("hit", "fingerprint", a_swapped_argument),
        ("hit", "arguments.prompt", a_swapped_argument_of_a_certain_call),
        ("hit", "fingerprint", a_swapped_argument_of_a_tool),
        ("hit", "arguments", arguments_that_are_none),
        ("hit", "output", a_changed_answer),
        ("hit", "question", a_changed_answer_that_others_read),
        ("hit", "best_usd", a_changed_bill),
        ("hit", "best_usd", a_changed_token_count),
        ("hit", "best_usd", a_changed_rate),
        ("hit", "bill", a_bill_without_order),
        ("hit", "outcome", a_removed_answer),
        ("hit", "activity", a_second_end),
        ("hit", "outcome", a_removed_launch),
        ("hit", "outcome", a_renamed_launch),
        ("hit", "output", another_output),
        ("hit", "output", a_removed_output),
        ("hit", "effect", another_effect),
        ("hit", "result", another_skip),
        ("hit", "ledger.spent_usd", spent_dollars),
        ("miss", "ledger.wasted_usd", wasted_dollars_of_the_run),
        ("miss", "ledger.speculations", a_count_of_speculations),
        ("hit", "ledger.saved_seconds", saved_seconds),
        ("hit", "result.ledger.sequential_seconds", seconds_without_speculation),
        ("hit", "ledger", a_ledger_that_is_none),
        ("node_failure", "error", an_error_told_otherwise),
        ("miss", "ForerunWastedUsd", a_search_attribute),
        ("no_longer_pays", "usd_per_second", a_turned_dial),
        ("no_longer_pays", "set_policy", a_dial_out_of_range),
        ("budget_zero", "budget", a_budget_that_is_exceeded),
        ("hit", "arguments.prompt", another_spec),
        ("hit", "event_id", an_event_cut_out),
        ("hit", "events", events_after_the_end),
    )
]

TAMPERINGS = [*FIELDS, *CHANGES]
