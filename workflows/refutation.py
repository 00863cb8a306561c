"""Testing guesses: render the call again with the actual value in the guess's place.

The same fingerprint discharges the assumption, so fields that nobody consumes never matter; another
one refutes it, and then, and only then, the call is cut. Where the author of a node allows it (tiers
2 and 3), a guess that was found to say the same as the answer is accepted in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.equivalence import CANONICAL_JSON, CONSUMED_FIELDS
    from forerun.speculation.guess import Guess
    from forerun.speculation.record import Record
    from forerun.speculation.table import (
        Absent,
        Accepted,
        CallTable,
        Gathered,
        Given,
        Guessed,
        Inputs,
        Resulting,
        SpeculativeCall,
    )
    from forerun.workflows.planning import Planner
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.templates import RenderError


class Refutation:
    """Tests the open speculations of a run, and remembers which guesses held and which did not.

    A guess of which one call was right and another wrong was wrong. `verdicts` are the records of
    guesses that were compared with their answers, None where nobody could tell.
    """

    def __init__(
        self, nodes: Nodes, table: CallTable, guesses: dict[str, Guess], planner: Planner
    ) -> None:
        self.verdicts: dict[str, Record | None] = {}
        self._discharged: set[str] = set()
        self._refuted: set[str] = set()
        self._nodes = nodes
        self._table = table
        self._guesses = guesses
        self._planner = planner

    def against(self, ended: Iterable[str]) -> Iterator[tuple[SpeculativeCall, str]]:
        """Open speculations that the ends of these nodes leave no way to be right, and why."""
        for name in ended:
            for speculation in self._table.open():
                speculation.alternatives = [
                    kept
                    for inputs in speculation.alternatives
                    if (kept := self._tested(speculation, inputs, name)) is not None
                ]
                if not speculation.alternatives:
                    yield speculation, f"{name} ended otherwise"
                elif self._nodes.state(speculation.node) is not NodeState.WAITING:
                    yield speculation, f"{speculation.node} went on without it"

    def left(self, speculation: SpeculativeCall, inputs: Inputs) -> Inputs | None:
        """One of its ways with all ends taken in, those of this round too; None if it has fallen."""
        left: Inputs | None = inputs
        for up in inputs:
            if left is not None and self._nodes[up].state.ended:
                left = self._tested(speculation, left, up)
        return left

    def claimed(self, speculation: SpeculativeCall) -> None:
        """Its own node needed the call exactly as guessed: what it was rendered from held.

        Another node may need the same call while the guesses are still open: that tests nothing.
        """
        if speculation.claimed_by != speculation.node:
            return
        for inputs in speculation.alternatives:
            for up, source in inputs.items():
                certain = {**inputs, up: Given()}
                if (
                    isinstance(source, Guessed)
                    and self._nodes[up].state.ended
                    and self._fingerprint(speculation.node, certain) == speculation.fingerprint
                ):
                    self._discharged.add(source.guess)

    def tier(self, guess: Guess) -> int | None:
        """The tier at which a guess was right, now that its node has ended; None if it was not."""
        run = self._nodes[guess.node]
        if run.state is not NodeState.DONE:
            return None
        if run.digest == guess.digest:
            return CANONICAL_JSON
        return CONSUMED_FIELDS if self._held(guess) else self.accepted(guess.id)

    def accepted(self, guess: str) -> int | None:
        """The tier (2 or 3) at which a guess may stand for the answer; None if it may not, so far."""
        verdict = self.verdicts.get(guess)
        return verdict["tier"] if verdict else None

    def _held(self, guess: Guess) -> bool:
        """Whether a guess leads everywhere to the calls that the actual value leads to.

        Also for guesses that nothing was bet on: what-if reports are made from these.
        """
        if guess.id in self._refuted or guess.id in self._discharged:
            return guess.id not in self._refuted
        consumers = [
            name
            for name in self._nodes.graph.downstream[guess.node]
            if not self._nodes.graph.nodes[name].effect
            and self._nodes.graph.nodes[name].index is None
            and all(self._nodes[up].state.ended for up in self._nodes.graph.nodes[name].upstream)
        ]
        return bool(consumers) and all(self._same_calls(name, guess) for name in consumers)

    def _same_calls(self, name: str, guess: Guess) -> bool:
        certain: Inputs = {up: Given() for up in self._nodes.graph.nodes[name].upstream}
        guessed = {**certain, guess.node: Guessed(guess.id)}
        return self._fingerprints(name, guessed) == self._fingerprints(name, certain)

    def _tested(self, speculation: SpeculativeCall, inputs: Inputs, ended: str) -> Inputs | None:
        """The inputs with the end of that node taken in; None if they lead to another call now."""
        source = inputs.get(ended, Given())
        if isinstance(source, Given | Accepted):
            return inputs
        certain = {**inputs, ended: Given()}
        if self._fingerprint(speculation.node, certain) == speculation.fingerprint:
            if isinstance(source, Guessed):
                self._discharged.add(source.guess)
            return certain
        if not isinstance(source, Guessed):
            return None
        self._refuted.add(source.guess)
        if not self._may_stand(ended, speculation.node):
            return None
        if source.guess not in self.verdicts:
            return inputs
        if self.accepted(source.guess) is None:
            return None
        return {**inputs, ended: Accepted(source.guess)}

    def _may_stand(self, up: str, reader: str) -> bool:
        """Whether a guess may stand for the answer of a node, where that reader reads it.

        Not in a list for items: they are known by their places in it. Nor in an effect: what is staged
        is committed as it is, or not at all.
        """
        reading = self._nodes.graph.node(reader)
        places = reading.for_each
        done = self._nodes[up].state is NodeState.DONE
        listed = places is not None and up in places.references
        allowed = self._nodes.graph.nodes[up].approximable and not reading.effect
        return done and allowed and not listed

    def _fingerprints(self, name: str, inputs: Inputs) -> list[str | None]:
        """The call of a node, or those of all its items."""
        node = self._nodes.graph.nodes[name]
        if not node.gathers:
            return [self._fingerprint(name, inputs)]
        try:
            items = node.items(self._values(inputs))
        except RenderError:
            return []
        return [self._fingerprint(f"{name}[{index}]", inputs) for index in range(len(items))]

    def _fingerprint(self, name: str, inputs: Inputs) -> str | None:
        """The call that `inputs` lead to; None where they lead to no call."""
        node, values = self._nodes.graph.node(name), self._values(inputs)
        if not all(up in values or node.tolerates(up) for up in inputs):
            return None
        try:
            return self._planner.plan(name, values).call.fingerprint if node.runs(values) else None
        except RenderError:
            return None

    def _values(self, inputs: Inputs) -> dict[str, Any]:
        """What is there: a skipped node is left out."""
        found = ((up, self._value(up, source)) for up, source in inputs.items())
        return {up: value for up, (present, value) in found if present}

    def _value(self, up: str, source: object) -> tuple[bool, Any]:
        match source:
            case Guessed(guess=guess) | Accepted(guess=guess):
                return True, self._guesses[guess].value
            case Resulting(speculation=speculation):
                return True, self._table[speculation].output
            case Gathered(speculations=speculations):
                return True, [self._table[one].output for one in speculations]
            case Absent():
                return False, None
            case _:
                run = self._nodes[up]
                return run.state is NodeState.DONE, run.output
