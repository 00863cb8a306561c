"""Guess sources: how the output of a node may be predicted.

A source looks at what the run knows already and yields guesses; what it believes of them is a Beta
distribution, never a bare number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.beliefs import stated
    from forerun.speculation.canonical import canonical, digest
    from forerun.speculation.guess import Guess, GuessSource
    from forerun.speculation.quantities import ONE, ZERO
    from forerun.speculation.table import CallTable
    from forerun.workflows.checkpoints import Checkpoints
    from forerun.workflows.evidence import Evidence
    from forerun.workflows.purchases import Purchases
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.spec_guesses import Guess as GuessSpec
    from forerun.workflows.spec_guesses import ModelGuess, NodeGuess, StreamGuess, ValueGuess


STREAM_P = Decimal("0.98")
"""Of what was streamed and is whole: only a retry, or a reply that ends badly, changes it. Ours."""


LEAST_P = Decimal("0.0001")
"""Of a guess that all evidence speaks against: a belief needs counts above 0. Ours."""

MOST_P = ONE - LEAST_P


class Sources:
    """The guesses that a run can make by now."""

    def __init__(
        self,
        nodes: Nodes,
        table: CallTable,
        checkpoints: Checkpoints,
        purchases: Purchases,
        evidence: Evidence,
    ) -> None:
        self.evidence = evidence
        self._nodes = nodes
        self._table = table
        self._checkpoints = checkpoints
        self._purchases = purchases

    def guesses(self, name: str) -> list[Guess]:
        """The guesses for a node.

        The same value is one guess, however many sources name it; but results of several speculations
        are as many ways for it to be right. Evidence of the very call leaves less to what was only
        expected: a stream to all others, a cheaper model's answer to all but a stream. A result of a
        speculation speaks for its own value, and against all others but a stream's.
        """
        found: dict[tuple[str, str | None], Guess] = {}
        for source in sorted(self._nodes.graph.nodes[name].guesses, key=_strength):
            for guess in self._made_by(name, source):
                found.setdefault((guess.id, guess.made_from), guess)
        certain = [guess for guess in found.values() if guess.made_from is None]
        return [_beside(self._weighed(guess), certain) for guess in found.values()]

    def _weighed(self, guess: Guess) -> Guess:
        """With what results of speculations say of it."""
        mean = guess.belief.mean
        p = mean if guess.source is GuessSource.STREAM else self.evidence.weighed(guess.id, mean)
        if p == mean:
            return guess
        return replace(guess, belief=stated(min(max(round(p, 4), LEAST_P), MOST_P)))

    def _made_by(self, name: str, source: GuessSpec) -> Iterable[Guess]:
        match source:
            case ValueGuess():
                return [_guess(name, source.value, GuessSource.VALUE, source.p)]
            case NodeGuess():
                return self._from_node(name, source)
            case StreamGuess():
                return self._from_stream(name, source)
            case ModelGuess():
                return self._from_model(name, source)
            case _:
                return []

    def _from_node(self, name: str, source: NodeGuess) -> Iterator[Guess]:
        """The other node's output, or, before it is certain, the results of speculations on it."""
        other = self._nodes[source.node]
        if other.state is NodeState.DONE:
            yield _guess(name, other.output, GuessSource.NODE, source.p)
        elif not other.state.ended:
            for speculation in self._table.open():
                if speculation.node == source.node and not speculation.live:
                    value, made_from = speculation.output, speculation.id
                    yield _guess(name, value, GuessSource.NODE, source.p, made_from)

    def _from_stream(self, name: str, source: StreamGuess) -> Iterator[Guess]:
        """What its own call has told, or a speculation on it: that one's guesses come with it."""
        p = source.p or STREAM_P
        for call, made_from in self._calls(name):
            told = self._checkpoints.latest(call)
            if told is not None:
                yield _guess(name, told.value, GuessSource.STREAM, p, made_from)

    def _from_model(self, name: str, source: ModelGuess) -> Iterator[Guess]:
        """The answers that were bought and have come."""
        for value, belief in self._purchases.answers(name, source):
            yield Guess(node=name, value=value, source=GuessSource.MODEL, belief=belief)

    def _calls(self, name: str) -> Iterator[tuple[str, str | None]]:
        """The calls that run for a node, and those that run ahead of it."""
        yield name, None
        for speculation in self._table:
            if speculation.live and speculation.claimed_by == name:
                yield speculation.id, None
            elif speculation.live and speculation.open and speculation.node == name:
                yield speculation.id, speculation.id


def _strength(source: GuessSpec) -> int:
    """Sources in the order of what they know, the best first."""
    match source:
        case StreamGuess():
            return 0
        case ModelGuess():
            return 1
        case _:
            return 2


EVIDENCE = (GuessSource.STREAM, GuessSource.MODEL)


def _beside(guess: Guess, others: Sequence[Guess]) -> Guess:
    """What stronger evidence says otherwise leaves a guess only the chance that it is wrong."""
    strength = EVIDENCE.index(guess.source) if guess.source in EVIDENCE else len(EVIDENCE)
    against = [
        other.belief.mean
        for other in others
        if other.source in EVIDENCE[:strength] and not _agrees(guess.value, other.value)
    ]
    left = ONE - sum(against, ZERO)
    return (
        replace(guess, belief=stated(max(guess.belief.mean * left, LEAST_P))) if against else guess
    )


def _agrees(value: Any, told: Any) -> bool:
    """Whether a value can still come true: of an object, its first fields were told."""
    if isinstance(value, dict) and isinstance(told, dict):
        fields = cast("dict[str, Any]", value)
        parts = cast("dict[str, Any]", told).items()
        return all(key in fields and digest(fields[key]) == digest(part) for key, part in parts)
    return digest(value) == digest(told)


def _guess(
    node: str, value: Any, source: GuessSource, p: Any, made_from: str | None = None
) -> Guess:
    return Guess(
        node=node,
        value=canonical(value),
        source=source,
        belief=stated(p),
        made_from=made_from,
    )
