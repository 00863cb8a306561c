"""The accounts of a run: what every call cost, and what has become certain, written down once.

The bill of a speculation is kept from the end of its activity until its outcome is decided; then it
is recorded, and only what is recorded enters the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from temporalio import workflow

from forerun.workflows.options import RECORDS_PER_MARKER

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Bill
    from forerun.speculation.ledger import Ledger
    from forerun.speculation.record import Bought, GuessCompared, GuessTested, Record
    from forerun.speculation.table import SpeculativeCall
    from forerun.workflows.bills import EndedBill, bill_of
    from forerun.workflows.books import Books
    from forerun.workflows.dispatch import Ended
    from forerun.workflows.settlement import outcome_of


class Accounts:
    """The ledger of one run and the bills that are still to be settled."""

    def __init__(self, books: Books) -> None:
        self.ledger = Ledger()
        self._books = books
        self._bills: dict[str, EndedBill] = {}

    def billed(self, ended: Ended) -> EndedBill:
        """Keep the bill of a speculation until its outcome is certain."""
        bill = self._bills[ended.id] = bill_of(ended)
        return bill

    def paid(self, bill: Bill | None) -> None:
        """Enter the bill of an authoritative call or of a commit; None if none was tried."""
        if bill is not None:
            self.ledger = self.ledger.paid(bill.cost.best_usd)

    async def compared(self, found: Sequence[GuessCompared]) -> list[Record]:
        """Write down what models say of guesses, and enter what it cost to ask them."""
        for one in found:
            self.ledger = self.ledger.compared(one.best_usd)
        return await self._books.settle(found)

    async def settle(
        self,
        speculations: Iterable[SpeculativeCall],
        purchases: Sequence[Bought],
        guesses: Iterable[GuessTested],
    ) -> None:
        """Write down outcomes and purchases, each once, and tested guesses, and enter them."""
        over = [s for s in speculations if s.ending and s.id in self._bills]
        outcomes = [outcome_of(s, self._bills.pop(s.id)) for s in over]
        for outcome in outcomes:
            self.ledger = self.ledger.settle(outcome.speculation, outcome.outcome, outcome.best_usd)
        for purchase in purchases:
            self.ledger = self.ledger.bought(purchase.purchase, purchase.best_usd)
        certain = [*outcomes, *purchases, *guesses]
        for start in range(0, len(certain), RECORDS_PER_MARKER):
            await self._books.settle(certain[start : start + RECORDS_PER_MARKER])
