"""Dollars by node: the ledger of the run, split up, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.ledger import Ledger
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import Bought, GuessCompared, Outcome
from forerun.speculation.table import Ending
from forerun.workers.audit.billed import ended_bill
from forerun.workers.audit.laws.ledger import ledger_of
from forerun.workers.audit.run import COMMIT, Run

PLACES = ("authoritative", "promoted", "wasted", "guesses")
"""Where a dollar can be, as in the ledger."""


@dataclass(slots=True, kw_only=True)
class Cost:
    """Of one node, its items included. `unpriced` counts the calls of which no price is known."""

    node: str
    calls: int = 0
    authoritative: Decimal = ZERO
    promoted: Decimal = ZERO
    wasted: Decimal = ZERO
    guesses: Decimal = ZERO
    unpriced: int = 0

    @property
    def total(self) -> Decimal:
        """What is known to be spent."""
        return self.authoritative + self.promoted + self.wasted + self.guesses


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Dollars of so many calls; those of which no price is known are in no sum, and counted."""

    calls: int = 0
    usd: Decimal = ZERO
    unpriced: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            calls=self.calls + other.calls,
            usd=self.usd + other.usd,
            unpriced=self.unpriced + other.unpriced,
        )


def costs(run: Run) -> tuple[list[Cost], Ledger]:
    """Of every node that cost anything or was called, and of the run as the audit sums it up."""
    nodes = dict.fromkeys(run.graph.nodes if run.graph else ())
    found = {node: Cost(node=node) for node in nodes}
    for node, place, amount in _entries(run):
        name = node.partition("[")[0]
        cost = found.setdefault(name, Cost(node=name))
        cost.calls += 1
        if amount is None:
            cost.unpriced += 1
        else:
            setattr(cost, place, getattr(cost, place) + amount)
    return [cost for cost in found.values() if cost.calls], ledger_of(run)


def _entries(run: Run) -> Iterator[tuple[str, str, Decimal | None]]:
    """Node, place and dollars of everything that is in the ledger."""
    for call in run.calls:
        if call.certain and call.end is not None:
            yield call.node, "authoritative", ended_bill(call).cost.best_usd
        elif call.type == COMMIT and call.end and call.end.bill:
            yield call.node, "authoritative", call.end.bill.cost.best_usd
    for _, outcome in run.of(Outcome):
        place = "promoted" if outcome.outcome is Ending.PROMOTED else "wasted"
        yield outcome.node, place, outcome.best_usd
    for _, bought in run.of(Bought):
        yield bought.node, "guesses", bought.best_usd
    for _, compared in run.of(GuessCompared):
        yield compared.node, "guesses", compared.best_usd
