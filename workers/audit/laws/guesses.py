"""Every guess that met its answer: tested once, against the actual value, as it was believed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from forerun.speculation.canonical import digest
from forerun.speculation.decision import Decision
from forerun.speculation.equivalence import CANONICAL_JSON
from forerun.speculation.record import GuessTested
from forerun.workers.audit.launched import outputs
from forerun.workers.audit.run import Run
from forerun.workers.audit.violation import Violation, unless_equal, violation


def check(run: Run) -> Iterator[Violation]:
    """What a tested guess says of itself, and of the value that it was tested against."""
    first: dict[str, int] = {}
    actual = {node: digest(output) for node, output in outputs(run).items()}
    believed = _believed(run)
    for event_id, guess in run.of(GuessTested):
        if guess.guess in first:
            found = f"again, after event {first[guess.guess]}"
            yield violation(event_id, guess.node, "guess", "tested once", found)
        first.setdefault(guess.guess, event_id)
        yield from unless_equal(
            event_id, guess.node, "actual_sha256", actual.get(guess.node), guess.actual_sha256
        )
        yield from _right(event_id, guess)
        means = believed.get(guess.guess, [])
        if means and guess.p not in means:
            yield violation(event_id, guess.node, "p", means[-1], guess.p)


def _right(event_id: int, guess: GuessTested) -> Iterator[Violation]:
    """Right at tier 1 if the values are the same, and right or wrong at others as was found out."""
    same = guess.actual_sha256 is not None and guess.guess == (
        f"{guess.node}@{guess.actual_sha256[:12]}"
    )
    if same or guess.tier == CANONICAL_JSON:
        expected = CANONICAL_JSON if same else None
        yield from unless_equal(event_id, guess.node, "tier", expected, guess.tier)
    yield from unless_equal(event_id, guess.node, "right", guess.tier is not None, guess.right)


def _believed(run: Run) -> dict[str, list[Decimal]]:
    """By guess, the means that decisions had it at."""
    found: dict[str, list[Decimal]] = {}
    for _, decision in run.of(Decision):
        for way in (decision.assumptions, *decision.alternatives):
            for assumed in way:
                found.setdefault(assumed.guess, []).append(assumed.belief.mean)
    return found
