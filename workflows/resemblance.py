"""Where guesses stand for answers that say the same (tiers 2 and 3): claims, waits, what to tell.

The law: the actual value first. Only a need that no open speculation meets exactly may be met by one
in whose call an accepted guess stands for the answer, and from then on the run says so: it is among
the run's approximations, and so are the intents behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.equivalence import Approximation
    from forerun.speculation.guess import Guess
    from forerun.speculation.record import Record
    from forerun.speculation.table import (
        Accepted,
        CallTable,
        Ending,
        Guessed,
        Inputs,
        SpeculativeCall,
    )
    from forerun.workflows.refutation import Refutation
    from forerun.workflows.run_state import Nodes


class Resemblance:
    """What may be taken for the same in one run, by the verdicts of its `refutation`."""

    def __init__(
        self, nodes: Nodes, table: CallTable, guesses: dict[str, Guess], refutation: Refutation
    ) -> None:
        self._nodes = nodes
        self._table = table
        self._guesses = guesses
        self._refutation = refutation

    @property
    def verdicts(self) -> dict[str, Record | None]:
        """By guess, the record of its comparison with the answer; None where nobody could tell."""
        return self._refutation.verdicts

    def claimable(self, name: str) -> tuple[SpeculativeCall | None, tuple[str, ...]]:
        """The open speculation that accepted guesses make the call of a node, and these guesses.

        Of several, the one whose guesses are right by the lowest tier.
        """
        found = [
            (speculation, tuple(s.guess for s in inputs.values() if isinstance(s, Accepted)))
            for speculation, inputs in self._ways(name)
            if not any(isinstance(source, Guessed) for source in inputs.values())
        ]
        return min(found, key=lambda one: self._highest(one[1]), default=(None, ()))

    def undecided(self, name: str | None = None) -> set[str]:
        """Guesses whose comparison with the answer decides on open speculations (of that node)."""
        return {
            source.guess
            for _, inputs in self._ways(name)
            for up, source in inputs.items()
            if isinstance(source, Guessed) and self._nodes[up].state.ended
        }

    def approximations(self, behind: str | None = None) -> list[Approximation]:
        """The claimed calls in which a guess stands for the answer; only those behind a node."""
        made = [
            self._approximation(speculation.node, guess)
            for speculation in self._table
            if speculation.ending is Ending.PROMOTED
            for guess in speculation.approximates
        ]
        if behind is None or not made:
            return made
        read = self._nodes.behind(behind)
        whole = {one.node: self._nodes.graph.nodes[one.node].parent or one.node for one in made}
        return [one for one in made if whole[one.node] in read]

    def _ways(self, name: str | None) -> Iterator[tuple[SpeculativeCall, Inputs]]:
        """What is left of the ways in which open speculations (on that node) may prove right.

        Only of those that read an approximable node, so that other runs pay nothing for it. Nothing
        is changed by looking: a need may come before the ends of its round are tested.
        """
        if name is not None and not self._reads_approximable(name):
            return
        for speculation in self._table.open():
            if name in (None, speculation.node) and self._reads_approximable(speculation.node):
                for inputs in speculation.alternatives:
                    if (left := self._refutation.left(speculation, inputs)) is not None:
                        yield speculation, left

    def _reads_approximable(self, name: str) -> bool:
        graph = self._nodes.graph
        return any(graph.nodes[up].approximable for up in graph.node(name).upstream)

    def _highest(self, accepted: tuple[str, ...]) -> int:
        return max((self._refutation.accepted(guess) or 0 for guess in accepted), default=0)

    def _approximation(self, node: str, guess: str) -> Approximation:
        verdict, assumed = self.verdicts[guess], self._guesses[guess]
        if verdict is None:
            raise AssertionError(f"{guess} was accepted without a verdict")
        return Approximation(
            node=node,
            upstream=assumed.node,
            guess=guess,
            label=assumed.label,
            tier=verdict["tier"],
            by=verdict["by"],
        )
