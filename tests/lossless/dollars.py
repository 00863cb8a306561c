"""The dollars of a run, added up again from its history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from temporalio.api.enums.v1 import EventType

from forerun.speculation.quantities import ZERO, number
from tests.lossless.told import Call, Told

Record = dict[str, Any]


def ledger_problems(told: Told, ledger: dict[str, Any]) -> Iterator[str]:
    """Where the ledger is not the sum over the recorded calls, to the last digit."""
    outcomes = told.outcomes
    sums = {"authoritative_usd": ZERO, "promoted_usd": ZERO, "wasted_usd": ZERO, "guess_usd": ZERO}
    for call in told.calls.values():
        sums[_place(call, outcomes)] += call.usd or ZERO
        if call.speculative and _dollars(outcomes[call.id]) != call.usd:
            yield f"{call.id}: outcome says {outcomes[call.id]['best_usd']}, its call {call.usd}"
    compared = told.story.of_kind("compared")
    sums["guess_usd"] = sum((_dollars(one) or ZERO for one in compared), ZERO)
    sums["spent_usd"] = sum(sums.values(), ZERO)
    for place, usd in sums.items():
        if number(ledger[place]) != usd:
            yield f"{place} is {ledger[place]}, the calls sum to {usd}"
    unpriced = sum(call.usd is None for call in told.calls.values())
    unpriced += sum(one["best_usd"] is None for one in compared)
    if ledger["unpriced_calls"] != unpriced:
        yield f"unpriced_calls is {ledger['unpriced_calls']}, counted {unpriced}"
    counts = Counter(outcome["outcome"] for outcome in outcomes.values())
    counts["launched"] = len(outcomes)
    for ending, count in ledger["speculations"].items():
        if counts[ending] != count:
            yield f"{ending} is {count}, counted {counts[ending]}"


def budget_problems(told: Told, budget: Decimal) -> Iterator[str]:
    """Launches at which more was at risk than the budget then in force; one of 0 allows none."""
    budgets, outcomes, worst = told.budgets(), _outcomes_at(told), _worst_cases(told)
    reserved: dict[str, Decimal] = {}
    wasted = ZERO
    for event in told.events:
        budget = budgets.get(event.event_id, budget)
        for outcome in outcomes.get(event.event_id, ()):
            reserved.pop(outcome["speculation"], None)
            wasted += _dollars(outcome, "wasted_usd") or ZERO
        id = event.activity_task_scheduled_event_attributes.activity_id
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED and id in worst:
            reserved[id] = worst[id]
            at_risk = sum(reserved.values(), wasted)
            if at_risk > budget or not budget:
                yield f"{id}, launched at event {event.event_id}: {at_risk} at risk of {budget}"


def _place(call: Call, outcomes: dict[str, Record]) -> str:
    if not call.speculative:
        return "authoritative_usd"
    return "promoted_usd" if outcomes[call.id]["outcome"] == "promoted" else "wasted_usd"


def _outcomes_at(told: Told) -> dict[int, list[Record]]:
    return {
        event_id: [record for record in marker["records"] if record["kind"] == "outcome"]
        for event_id, marker in told.story.markers
    }


def _worst_cases(told: Told) -> dict[str, Decimal]:
    """The worst case of each speculation, as the decision that launched it had it."""
    stakes = {
        call["stake"]["fingerprint"]: number(call["stake"]["worst_usd"])
        for decision in told.story.of_kind("decision")
        if decision["verdict"] == "launch"
        for call in decision["calls"]
    }
    return {
        speculation: stakes[outcome["fingerprint"]]
        for speculation, outcome in told.outcomes.items()
        if outcome["fingerprint"] in stakes  # else Story.check complains
    }


def _dollars(record: Record, key: str = "best_usd") -> Decimal | None:
    return None if record[key] is None else number(record[key])
