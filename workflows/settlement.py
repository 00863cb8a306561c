"""Writing down what has become certain: outcomes of speculations, and guesses that met their answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.guess import Guess
    from forerun.speculation.quantities import ZERO
    from forerun.speculation.record import GuessTested, Outcome
    from forerun.speculation.table import CallTable, Ending, SpeculativeCall
    from forerun.workflows.bills import EndedBill
    from forerun.workflows.refutation import Refutation
    from forerun.workflows.run_state import Nodes

EFFORT_PER_TASK = 40_000
"""About a second of rendering: a workflow task that computes for two is tried again for ever."""


def outcome_of(speculation: SpeculativeCall, ended: EndedBill) -> Outcome:
    """The record of one speculation's end. Its dollars are wasted unless it was promoted."""
    ending = speculation.ending or Ending.FAILED
    cost = ended.cost
    return Outcome(
        at=workflow.now().isoformat(),
        speculation=speculation.id,
        node=speculation.node,
        operation=speculation.call.operation,
        fingerprint=speculation.fingerprint,
        bet=speculation.bet,
        label=speculation.label,
        outcome=ending,
        reason=_reason(speculation),
        usage=ended.bill.usage,
        delivered_tokens=ended.delivered_tokens,
        expected_tokens=ended.expected_tokens,
        seconds=ended.seconds_recorded,
        low_usd=cost.low_usd,
        best_usd=cost.best_usd,
        high_usd=cost.high_usd,
        basis=cost.basis,
        wasted_usd=ZERO if ending is Ending.PROMOTED else cost.best_usd,
        approximates=speculation.approximates,
    )


def tested(
    guesses: Iterable[Guess],
    nodes: Nodes,
    table: CallTable,
    refutation: Refutation,
    undecided: Collection[str],
) -> Iterator[list[GuessTested]]:
    """The guesses, launched on or held, of which it can be said by now whether they were right.

    Those that are still being compared are left for later. They come in at least one part, each of
    what one workflow task has the time to find out: a thousand guesses that one join reads are a
    thousand renderings of it.
    """
    bet_on = _bet_on(table)
    found: list[GuessTested] = []
    effort = 0
    for guess in guesses:
        if guess.id in undecided or not refutation.testable(guess):
            continue
        effort += refutation.effort(guess)
        if found and effort > EFFORT_PER_TASK:
            yield found
            found, effort = [], refutation.effort(guess)
        found.append(_tested(guess, nodes, guess.id in bet_on, refutation))
    yield found


def _tested(guess: Guess, nodes: Nodes, launched: bool, refutation: Refutation) -> GuessTested:
    tier = refutation.tier(guess)
    return GuessTested(
        at=workflow.now().isoformat(),
        guess=guess.id,
        node=guess.node,
        label=guess.label,
        source=guess.source,
        p=guess.belief.mean,
        launched=launched,
        actual_sha256=nodes[guess.node].digest,
        right=tier is not None,
        tier=tier,
    )


def _bet_on(table: CallTable) -> set[str]:
    """The guesses that some launched call was rendered from."""
    return {guess for speculation in table for guess in speculation.bet.split(" & ")}


def _reason(speculation: SpeculativeCall) -> str:
    if speculation.ending is Ending.PROMOTED:
        return f"claimed by {speculation.claimed_by}"
    return speculation.cut_reason or "its call failed"
