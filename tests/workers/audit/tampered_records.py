"""Outcomes, purchases, verdicts, tested guesses and openings altered, moved, or taken out."""

from __future__ import annotations

from typing import Any

from tests.forging import Event, Forged, attributes, value
from tests.workers.audit.tampered_decisions import FIRST_BET
from tests.workers.audit.tampering import ONES, Tampering, collecting, field

CUT = {"outcome": "cut"}


def _outcome(name: str, path: str, to: Any, check: str) -> Tampering:
    return field(name, "miss", "outcome", CUT, path, to, check)


def _guess(name: str, path: str, to: Any, check: str) -> Tampering:
    return field(name, "hit", "guess", {}, path, to, check)


def _bought(name: str, path: str, to: Any, check: str) -> Tampering:
    return field(name, "bought", "purchase", {}, path, to, check)


def _verdict(name: str, path: str, to: Any, check: str) -> Tampering:
    return field(name, "approximation", "compared", {}, path, to, check)


RECORDS = [
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
    field("a promotion", "hit", "outcome", {"node": "draft"}, "outcome", "discarded", "outcome"),
    field(
        "who claimed it", "hit", "outcome", {"node": "draft"}, "reason", "claimed by send", "reason"
    ),
    _guess("a right guess", "right", False, "right"),
    _guess("the tier of a guess", "tier", 0, "tier"),
    _guess("the actual value", "actual_sha256", ONES, "actual_sha256"),
    _guess("the P of a guess", "p", "0.7", "p"),
    _guess("whether a guess was bet on", "launched", False, "launched"),
    _bought("the dollars of a bought guess", "best_usd", "0", "best_usd"),
    _bought("how a purchase ended", "end", "cut", "end"),
    _bought("what was bought", "guess", "route@?1:openai:sim-small", "guess"),
    _bought("the tokens of a bought guess", "usage.input_tokens", 1, "usage"),
    _verdict("the tier of a verdict", "tier", None, "tier"),
    _verdict("who gave a verdict", "by", "wording", "best_usd"),
    _verdict("the score of a verdict", "score", "0.99", "score"),
    _verdict("the dollars of a verdict", "best_usd", "0", "best_usd"),
    _verdict("what was compared", "actual_sha256", ONES, "actual_sha256"),
    field(
        "an approximation that is none",
        "approximation",
        "outcome",
        {},
        "approximates",
        [],
        "approximates",
    ),
    field(
        "an approximation without a verdict",
        "hit",
        "outcome",
        {"node": "draft"},
        "approximates",
        ["classify@faf2805a9391"],
        "approximates",
    ),
    field("a guess that said the same", "approximation", "guess", {}, "tier", 2, "tier"),
    field("the budget at the start", "hit", "opening", {}, "policy.budget_usd", "6", "policy"),
    field("the version", "hit", "opening", {}, "version", "0.0.1", "version"),
    field("the spec's digest", "hit", "opening", {}, "spec_sha256", ONES, "spec_sha256"),
]
altering = collecting(RECORDS)


@altering("hit", "best_usd")
def a_declared_price(forged: Forged) -> Event:
    with forged.record("opening") as opening:
        opening["operations"]["kb.search"]["usd"] = "0.5"
    return forged.ended("ahead:lookup:1")


@altering("hit", "approval")
def a_gate_that_asks_nobody(forged: Forged) -> Event:
    with forged.record("opening") as opening:
        opening["operations"]["outbox.put"]["approvals"] = 2
    return forged.scheduled("commit:send")


@altering("breadth", "record")
def an_unknown_field(forged: Forged) -> Event:
    with forged.record("decision", **FIRST_BET) as decision:
        decision["hunch"] = "strong"
    return forged.marker("decision", **FIRST_BET)


@altering("breadth", "marker")
def a_marker_with_more(forged: Forged) -> Event:
    marker = forged.marker("decision")
    with value(attributes(marker)["details"]["result"]) as content:
        content["note"] = "nothing to see here"
    return marker


@altering("breadth", "launch")
def a_removed_decision(forged: Forged) -> Event:
    forged.drop(forged.marker("decision", **FIRST_BET))
    return forged.scheduled("ahead:draft:1")


@altering("breadth", "fingerprint")
def a_decision_removed_from_its_batch(forged: Forged) -> Event:
    with forged.records(forged.marker("decision")) as records:
        del records[1]
    return forged.scheduled("ahead:draft:2")


@altering("miss", "outcome")
def a_removed_outcome(forged: Forged) -> Event:
    forged.drop(forged.marker("outcome", **CUT))
    return forged.scheduled("ahead:draft:2")


@altering("hit", "outcome")
def an_outcome_removed_from_its_batch(forged: Forged) -> Event:
    marker = forged.marker("outcome", node="lookup")
    with forged.records(marker) as records:
        del records[0]
    return forged.scheduled("ahead:lookup:1")


@altering("miss", "outcome")
def a_duplicated_outcome(forged: Forged) -> Event:
    marker = forged.marker("outcome", **CUT)
    return forged.repeat(marker, behind=marker)


@altering("miss", "outcome")
def a_moved_outcome(forged: Forged) -> Event:
    marker = forged.marker("outcome", **CUT)
    forged.move(marker, behind=forged.scheduled("ahead:draft:2"))
    return marker


@altering("hit", "guess")
def a_duplicated_guess(forged: Forged) -> Event:
    marker = forged.marker("guess")
    with forged.records(marker) as records:
        records.append(dict(records[-1]))
    return marker


@altering("breadth", "funds_usd")
def two_records_swapped(forged: Forged) -> Event:
    marker = forged.marker("decision")
    with forged.records(marker) as records:
        records.reverse()
    return forged.marker("decision")


@altering("approximation", "compared")
def a_removed_verdict(forged: Forged) -> Event:
    forged.drop(forged.marker("compared"))
    return forged.scheduled("compare:summary@c605d9e26858")


@altering("bought", "outcome")
def a_removed_purchase(forged: Forged) -> Event:
    forged.drop(forged.marker("purchase", purchase="guess:route:2"))
    return forged.scheduled("guess:route:2")


@altering("bought", "launch")
def a_purchase_without_a_decision(forged: Forged) -> Event:
    forged.drop(forged.marker("decision", verdict="buy"))
    return forged.scheduled("guess:route:1")
