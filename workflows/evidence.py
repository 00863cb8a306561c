"""What results of speculations say about guesses, before anything is certain.

A speculation that is done has called a node with inputs that a few guesses stand for. If those are
right its result is the node's output: then every other guess of that node is wrong, and the same
guess is right. So it is evidence, as strong as its assumptions are probable. Not for a node whose
answers other words may stand for: there another value is no other answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, localcontext

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.beliefs import joint
    from forerun.speculation.bet import Implication, exclusive, implied, node_of
    from forerun.speculation.canonical import digest
    from forerun.speculation.guess import Guess, guess_id
    from forerun.speculation.quantities import FIGURES, ONE, ZERO
    from forerun.speculation.table import CallTable, SpeculativeCall
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.variants import Guesses


class Evidence:
    """What the speculations of a run that are done say of nodes that are not."""

    def __init__(self, nodes: Nodes, table: CallTable, guesses: Mapping[str, Guess]) -> None:
        self._nodes = nodes
        self._table = table
        self._guesses = guesses
        self._said: dict[str, str] = {}
        self._by_first: dict[str | None, list[Implication]] = {}
        self._by_node: dict[str, dict[str, tuple[str, list[Guesses]]]] = {}
        self.implications: tuple[Implication, ...] = ()
        """As of the last look."""

    def look(self) -> None:
        """Take in the run as it stands."""
        implications: list[Implication] = []
        self._by_first, self._by_node = {}, {}
        for speculation, one in self._results():
            implications.append(one)
            self._by_first.setdefault(next(iter(one.guesses), None), []).append(one)
            results = self._by_node.setdefault(speculation.node, {})
            results.setdefault(speculation.id, (one.says, []))[1].append(one.guesses)
        self.implications = tuple(implications)

    def weighed(self, guess: str, p: Decimal) -> Decimal:
        """The chance that a guess is right, of which only `p` was known.

        A node makes one call: of the results for it at most one is right, so their chances add up,
        and `p` is what is left for the case that none is.
        """
        results = self._by_node.get(node_of(guess), {})
        with localcontext(FIGURES):
            chances = [(says, self._right(ways)) for says, ways in results.values()]
            known = sum((right for _, right in chances), ZERO)
            agreeing = sum((right for says, right in chances if says == guess), ZERO)
            # Beliefs in guesses for different nodes are independent, so they may add up to too much.
            return agreeing / known if known > ONE else agreeing + p * (ONE - known)

    def rules_out(self, guesses: Guesses) -> bool:
        """Whether some of these guesses cannot be right together.

        Asked thousands of times in a survey: most results are about other guesses.
        """
        concerning = [one for first in (None, *guesses) for one in self._by_first.get(first, ())]
        return bool(concerning) and implied(guesses, concerning) is None

    def _results(self) -> Iterator[tuple[SpeculativeCall, Implication]]:
        for speculation in self._table.open():
            if not speculation.live and self._counts(speculation.node):
                for inputs in speculation.alternatives:
                    guesses = self._table.assumptions(inputs)
                    yield speculation, Implication(guesses, self._word(speculation))

    def _right(self, ways: Iterable[Guesses]) -> Decimal:
        """The chance that one of these sets of guesses is right; what is in another adds nothing."""
        chances = {way: joint([self._guesses[one].belief.mean for one in way]) for way in ways}
        likeliest = sorted(chances, key=chances.__getitem__, reverse=True)
        return min(sum((chances[way] for way in exclusive(likeliest)), ZERO), ONE)

    def _counts(self, name: str) -> bool:
        state = self._nodes.state(name)
        node = self._nodes.graph.node(name)
        open_still = state in (NodeState.WAITING, NodeState.RUNNING)
        return open_still and bool(node.guesses) and not node.approximable

    def _word(self, speculation: SpeculativeCall) -> str:
        """Its result as a guess would be named; hashed once."""
        found = self._said.get(speculation.id)
        if found is None:
            found = guess_id(speculation.node, digest(speculation.output))
            self._said[speculation.id] = found
        return found
