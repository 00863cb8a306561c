"""The ledger of a run, kept again along its events, in the order in which the run kept it."""

from __future__ import annotations

from forerun.speculation.ledger import Ledger
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import Outcome
from forerun.workers.audit.launched import Decided, launches, unsent
from forerun.workers.audit.run import Call, Marker, Run, Turn


class Accounts:
    """`ledger` holds what was launched and settled by the events entered so far."""

    def __init__(self, run: Run) -> None:
        self.ledger = Ledger()
        self._sources = {launch.call.event_id: launch.decided for launch in launches(run)}
        self._unsent: dict[int, list[tuple[str, Decided]]] = {}
        for speculation, source in unsent(run).items():
            self._unsent.setdefault(source.event_id, []).append((speculation, source))

    def enter(self, happened: Call | Marker | Turn) -> None:
        """A launch reserves its worst case, an outcome settles it."""
        match happened:
            case Call() if happened.speculative:
                self._reserve(happened.id, self._sources[happened.event_id])
            case Marker():
                for outcome in happened.of(Outcome):
                    self._settle(outcome)
                for speculation, source in self._unsent.get(happened.event_id, ()):
                    self._reserve(speculation, source)
            case _:
                pass

    def _reserve(self, speculation: str, source: Decided | None) -> None:
        worst = source.stake.worst_usd if source else None
        self.ledger = self.ledger.reserve(speculation, worst or ZERO)

    def _settle(self, outcome: Outcome) -> None:
        """What was never launched, or is settled already, holds no reservation."""
        if outcome.speculation in self.ledger.reserved:
            self.ledger = self.ledger.settle(outcome.speculation, outcome.outcome, outcome.best_usd)


def speculations_of(run: Run) -> Ledger:
    """The ledger at the end of the run, as far as speculations go."""
    accounts = Accounts(run)
    for happened in run.by_event():
        accounts.enter(happened)
    return accounts.ledger
