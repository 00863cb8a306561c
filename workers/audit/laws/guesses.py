"""Every guess that met its answer: tested once, against the actual value.

How probable it was held to be may have changed since it was bet on; replay knows (`told`).
"""

from __future__ import annotations

from collections.abc import Iterator

from forerun.speculation.canonical import digest
from forerun.speculation.equivalence import CANONICAL_JSON
from forerun.speculation.guess import guess_id
from forerun.speculation.record import GuessTested
from forerun.workers.audit.launched import outputs
from forerun.workers.audit.run import Run
from forerun.workers.audit.violation import Violation, unless_equal, violation


def check(run: Run) -> Iterator[Violation]:
    """What a tested guess says of itself, and of the value that it was tested against."""
    first: dict[str, int] = {}
    actual = {node: digest(output) for node, output in outputs(run).items()}
    for event_id, guess in run.of(GuessTested):
        if guess.guess in first:
            found = f"again, after event {first[guess.guess]}"
            yield violation(event_id, guess.node, "guess", "tested once", found)
        first.setdefault(guess.guess, event_id)
        if run.close.result or not _gathers(run, guess.node):
            expected = actual.get(guess.node)
            yield from unless_equal(
                event_id, guess.node, "actual_sha256", expected, guess.actual_sha256
            )
        yield from _right(event_id, guess)


def _gathers(run: Run, name: str) -> bool:
    """Whether a node's output is a list that only a result tells whole."""
    node = run.graph.nodes.get(name) if run.graph else None
    return node is not None and node.gathers


def _right(event_id: int, guess: GuessTested) -> Iterator[Violation]:
    """At tier 1 if the values are the same; of tiers 2 and 3, see `comparisons`."""
    actual = guess.actual_sha256
    same = actual is not None and guess.guess == guess_id(guess.node, actual)
    if same or guess.tier == CANONICAL_JSON:
        expected = CANONICAL_JSON if same else None
        yield from unless_equal(event_id, guess.node, "tier", expected, guess.tier)
    yield from unless_equal(event_id, guess.node, "right", guess.tier is not None, guess.right)
