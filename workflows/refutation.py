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
    from forerun.workflows.candidates import NoCall, calls_of
    from forerun.workflows.node import Node
    from forerun.workflows.planning import Planner
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.templates import RenderError

EFFORT_OF_A_CALL = 100
"""Beside one for each of its inputs; its text may be long."""


class Refutation:
    """Tests the open speculations of a run, and its guesses.

    `verdicts` are the records of guesses that were compared with their answers, None where nobody
    could tell.
    """

    def __init__(
        self, nodes: Nodes, table: CallTable, guesses: dict[str, Guess], planner: Planner
    ) -> None:
        self.verdicts: dict[str, Record | None] = {}
        self._actual: dict[str, list[str] | NoCall] = {}
        self._awaited: dict[str, list[str]] = {}
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

    def testable(self, guess: Guess) -> bool:
        """Whether it is certain by now what a guess, whose node has ended, would have led to."""
        return all(map(self._certain, self._readers(guess)))

    def effort(self, guess: Guess) -> int:
        """How much there is to render to test a guess: about so many times 25 µs."""
        run = self._nodes[guess.node]
        if run.state is not NodeState.DONE or run.digest == guess.digest:
            return 0
        return sum(self._effort(reader) for reader in self._readers(guess))

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
        """Whether a guess leads to the calls that the actual value leads to.

        Whether anything was bet on it plays no part: beliefs and what-if reports are made from
        this. A reader counts if both values lead it somewhere: not one that another input stops,
        nor one that reads more than the guess says, of a stream, say.
        """
        led = [(self._made(node), self._led(node, guess)) for node in self._readers(guess)]
        both = [pair for pair in led if NoCall.FAILS not in pair]
        return bool(both) and all(actual == guessed for actual, guessed in both)

    def _readers(self, guess: Guess) -> list[Node]:
        graph = self._nodes.graph
        nodes = [graph.nodes[name] for name in graph.downstream[guess.node]]
        known = (node for node in nodes if self._planner.knows(node.name))
        return [node for node in known if not node.effect and node.index is None]

    def _certain(self, reader: Node) -> bool:
        """Whether all its inputs have ended: what has is looked at once, a join asks for thousands."""
        awaited = self._awaited.setdefault(reader.name, list(reader.upstream))
        while awaited and self._nodes[awaited[-1]].state.ended:
            awaited.pop()
        return not awaited

    def _effort(self, reader: Node) -> int:
        made = self._made(reader)
        calls = 1 if isinstance(made, NoCall) else max(len(made), 1)
        return calls * (EFFORT_OF_A_CALL + len(reader.upstream))

    def _made(self, reader: Node) -> list[str] | NoCall:
        """The calls that its inputs lead a reader to, now that they are certain; rendered once."""
        if reader.name not in self._actual:
            self._actual[reader.name] = self._led(reader, None)
        return self._actual[reader.name]

    def _led(self, node: Node, guess: Guess | None) -> list[str] | NoCall:
        """The calls that a node makes of its inputs, with a guess in place of one of them."""
        values = self._nodes.values(node.name)
        if guess is not None:
            values[guess.node] = guess.value
        if not all(up in values or node.tolerates(up) for up in node.upstream):
            return NoCall.FAILS
        calls = calls_of(node, self._planner, values)
        return calls if isinstance(calls, NoCall) else [one.call.fingerprint for one in calls]

    def _tested(self, speculation: SpeculativeCall, inputs: Inputs, ended: str) -> Inputs | None:
        """The inputs with the end of that node taken in; None if they lead to another call now."""
        source = inputs.get(ended, Given())
        if isinstance(source, Given | Accepted):
            return inputs
        certain = {**inputs, ended: Given()}
        if self._fingerprint(speculation.node, certain) == speculation.fingerprint:
            return certain
        if not isinstance(source, Guessed) or not self._may_stand(ended, speculation.node):
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
