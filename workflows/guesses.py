"""Guess sources: how the output of a node may be predicted.

A source looks at what the run knows already and yields guesses; what it believes of them is a Beta
distribution, never a bare number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.beliefs import stated
    from forerun.speculation.canonical import canonical
    from forerun.speculation.guess import Guess, GuessSource
    from forerun.speculation.table import CallTable
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.spec import NodeGuess, ValueGuess


def guesses_for(name: str, nodes: Nodes, table: CallTable) -> list[Guess]:
    """The guesses for a node that can be made by now.

    The same value is one guess, however many sources name it; but results of several speculations
    are as many ways for it to be right.
    """
    found: dict[tuple[str, str | None], Guess] = {}
    for source in nodes.graph.nodes[name].guesses:
        match source:
            case ValueGuess():
                made = [_guess(name, source.value, GuessSource.VALUE, source.p)]
            case NodeGuess():
                made = list(_from_node(name, source, nodes, table))
            case _:
                made = []
        for guess in made:
            found.setdefault((guess.id, guess.made_from), guess)
    return list(found.values())


def _from_node(name: str, source: NodeGuess, nodes: Nodes, table: CallTable) -> Iterator[Guess]:
    """The other node's output, or, before it is certain, the results of speculations on it."""
    other = nodes[source.node]
    if other.state is NodeState.DONE:
        yield _guess(name, other.output, GuessSource.NODE, source.p)
    elif not other.state.ended:
        for speculation in table.open():
            if speculation.node == source.node and not speculation.live:
                yield _guess(name, speculation.output, GuessSource.NODE, source.p, speculation.id)


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
