"""The dollars of a run, added up again from its history."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from temporalio.api.enums.v1 import EventType

from forerun.speculation.quantities import ZERO, number
from tests.lossless.told import Told


def ledger_problems(told: Told, ledger: dict[str, Any]) -> Iterator[str]:
    """Where the ledger is not the sum over the recorded calls, to the last digit."""
    outcomes = {outcome["speculation"]: outcome for outcome in told.story.of_kind("outcome")}
    sums = {"authoritative_usd": ZERO, "promoted_usd": ZERO, "wasted_usd": ZERO}
    unpriced = 0
    for call in told.calls.values():
        if call.usd is None:
            unpriced += 1
            continue
        if not call.speculative:
            sums["authoritative_usd"] += call.usd
            continue
        outcome = outcomes[call.id]
        if number(outcome["best_usd"]) != call.usd:
            yield f"{call.id}: outcome says {outcome['best_usd']}, its call {call.usd}"
        place = "promoted_usd" if outcome["outcome"] == "promoted" else "wasted_usd"
        sums[place] += call.usd
    for place, usd in sums.items():
        if number(ledger[place]) != usd:
            yield f"{place} is {ledger[place]}, the calls sum to {usd}"
    if number(ledger["spent_usd"]) != sum(sums.values(), number(ledger["guess_usd"])):
        yield f"spent_usd is {ledger['spent_usd']}, the calls sum to {sum(sums.values())}"
    if ledger["unpriced_calls"] != unpriced:
        yield f"unpriced_calls is {ledger['unpriced_calls']}, counted {unpriced}"
    counts = {"launched": len(outcomes)}
    for outcome in outcomes.values():
        counts[outcome["outcome"]] = counts.get(outcome["outcome"], 0) + 1
    for ending, count in ledger["speculations"].items():
        if counts.get(ending, 0) != count:
            yield f"{ending} is {count}, counted {counts.get(ending, 0)}"


def budget_problems(told: Told, budget: Decimal) -> Iterator[str]:
    """Launches at which more was at risk than the budget then in force; one of 0 allows none."""
    budgets, outcomes = dict(told.budgets()), _outcomes_at(told)
    worst, reserved, wasted = _worst_cases(told), dict[str, Decimal](), ZERO
    for event in told.events:
        budget = budgets.get(event.event_id, budget)
        for outcome in outcomes.get(event.event_id, ()):
            reserved.pop(outcome["speculation"], None)
            wasted += number(outcome["wasted_usd"] or 0)
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            continue
        id = event.activity_task_scheduled_event_attributes.activity_id
        if not id.startswith("ahead:"):
            continue
        reserved[id] = worst[id]
        at_risk = sum(reserved.values(), wasted)
        if at_risk > budget or not budget:
            yield f"{id} launched at event {event.event_id}: {at_risk} at risk of {budget}"


def _outcomes_at(told: Told) -> dict[int, list[dict[str, Any]]]:
    return {
        event_id: [record for record in marker["records"] if record["kind"] == "outcome"]
        for event_id, marker in told.story.markers
    }


def _worst_cases(told: Told) -> dict[str, Decimal]:
    """The worst case of each launch, as the decision that launched it had it."""
    stakes = {
        call["stake"]["fingerprint"]: number(call["stake"]["worst_usd"])
        for decision in told.story.of_kind("decision")
        if decision["verdict"] == "launch"
        for call in decision["calls"]
    }
    return {o["speculation"]: stakes[o["fingerprint"]] for o in told.story.of_kind("outcome")}
