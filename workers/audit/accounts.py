"""The ledger of a run, kept again along its events, in the order in which the run kept it."""

from __future__ import annotations

from forerun.speculation.ledger import Ledger
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import Bought, GuessCompared, Outcome
from forerun.speculation.rule import Verdict
from forerun.workers.audit.launched import Decided, launches, purchases, unsent
from forerun.workers.audit.records import Record
from forerun.workers.audit.run import Call, Marker, Run, Turn


class Accounts:
    """`ledger` holds what was launched and settled by the events entered so far."""

    def __init__(self, run: Run) -> None:
        self.ledger = Ledger()
        started = [*launches(run), *purchases(run)]
        self._sources = {launch.call.event_id: launch.decided for launch in started}
        self._unsent: dict[int, list[tuple[str, Decided]]] = {}
        for id, source in unsent(run).items():
            self._unsent.setdefault(source.event_id, []).append((id, source))

    def enter(self, happened: Call | Marker | Turn) -> None:
        """A launch or a purchase reserves its worst case, its record settles it."""
        match happened:
            case Call() if happened.event_id in self._sources:
                self._reserve(happened.id, self._sources[happened.event_id])
            case Marker():
                for entry in happened.entries:
                    self._settle(entry.record)
                for id, source in self._unsent.get(happened.event_id, ()):
                    self._reserve(id, source)
            case _:
                pass

    def _reserve(self, id: str, source: Decided | None) -> None:
        worst = (source.worst_usd if source else None) or ZERO
        bought = source is not None and source.decision.verdict is Verdict.BUY
        self.ledger = self.ledger.buy(id, worst) if bought else self.ledger.reserve(id, worst)

    def _settle(self, record: Record | None) -> None:
        """What was never launched, or is settled already, holds no reservation."""
        match record:
            case Outcome(speculation=id) if id in self.ledger.reserved:
                self.ledger = self.ledger.settle(id, record.outcome, record.best_usd)
            case Bought(purchase=id) if id in self.ledger.reserved:
                self.ledger = self.ledger.bought(id, record.best_usd)
            case GuessCompared():
                self.ledger = self.ledger.compared(record.best_usd)
            case _:
                pass


def speculations_of(run: Run) -> Ledger:
    """The ledger at the end of the run, without the calls that were certain."""
    accounts = Accounts(run)
    for happened in run.by_event():
        accounts.enter(happened)
    return accounts.ledger
