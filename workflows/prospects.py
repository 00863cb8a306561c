"""Prospects: the bets that one survey comes upon, each with the calls that could be made on it.

The same call, come upon on other guesses, is not entered again: it has one more way to prove right.
So has one that was launched before; what it makes of its node depends on how far it has come.
"""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.table import Awaited, CallTable, Inputs, Resulting
    from forerun.workflows.dispatch import Planned
    from forerun.workflows.possible import Possible, PossibleBet
    from forerun.workflows.variants import Guesses, Variant


class Prospects:
    """`bets` by the guesses that they assume, in the order in which they were found."""

    def __init__(self, table: CallTable) -> None:
        self.bets: dict[Guesses, PossibleBet] = {}
        self._table = table
        self._ready: dict[tuple[str, str], Possible] = {}

    def on(self, guesses: Guesses) -> PossibleBet:
        """The bet on exactly these guesses."""
        return self.bets.setdefault(guesses, PossibleBet(guesses))

    def waiting(self, name: str, inputs: Inputs, guesses: Guesses) -> Variant:
        """Enter a call of a node that waits for results; what the node would then be."""
        return self._enter(name, inputs, None, guesses)

    def ready(self, name: str, inputs: Inputs, planned: Planned, guesses: Guesses) -> list[Variant]:
        """Enter a call of a node that could be launched now; what the node would then be.

        Nothing where the call belongs to another bet, or can no longer be claimed.
        """
        fingerprint = planned.call.fingerprint
        existing = self._table.of(name, fingerprint)
        if existing is None and (same := self._ready.get((name, fingerprint))):
            same.alternatives.append(inputs)
            same.ways.append(guesses)
            return []
        if existing is None:
            return [self._enter(name, inputs, planned, guesses)]
        if not existing.open:
            return []
        if inputs not in existing.alternatives:
            existing.alternatives.append(inputs)
        if existing.live:
            return [Variant(Awaited((name,)), guesses)]
        return [Variant(Resulting(existing.id), guesses, existing.output)]

    def _enter(
        self, name: str, inputs: Inputs, planned: Planned | None, guesses: Guesses
    ) -> Variant:
        possible = Possible(node=name, alternatives=[inputs], ways=[guesses], planned=planned)
        if planned:
            self._ready[name, planned.call.fingerprint] = possible
        calls = self.on(guesses).calls
        if name not in calls or (planned and not calls[name].planned):
            calls[name] = possible
        return Variant(Awaited((name,)), guesses)
