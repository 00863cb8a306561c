"""Tier 2 as a local activity: whether a guess and the answer say the same in the same words.

It touches no more than two texts, yet it must not run in workflow code: what counts as the same
wording changes with every word added to the lists, and a replay has to find what was found then.
"""

# No postponed annotations: pydantic would look their names up in sys.modules, and the workflow
# sandbox has only those modules there that the workflow itself imported.

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio import activity

from forerun.activities.decision_request import Records
from forerun.speculation.equivalence import equivalent
from forerun.speculation.record import GuessCompared, chained


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A guess and what came instead. `highest` is the tier that may decide: 2, or 3 if need be.

    The values are those of a node that answers in free text; a guess of one may be anything.
    """

    guess: str
    node: str
    label: str
    predicted: Any
    predicted_sha256: str
    actual: Any
    actual_sha256: str
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingRequest:
    """Guesses to compare with their answers."""

    at: datetime
    pairs: tuple[Pair, ...]
    previous: str


class Wording:
    """Needs nothing but its arguments."""

    @activity.defn(name="compare_wording")
    async def compare_wording(self, request: WordingRequest) -> Records:
        """Record the verdicts; none on a pair that a model has to decide."""
        found = _verdicts(request.at.isoformat(), request.pairs)
        return Records(records=chained(list(found), request.previous))


def _verdicts(at: str, pairs: tuple[Pair, ...]) -> Iterator[GuessCompared]:
    for pair in pairs:
        found = equivalent(pair.predicted, pair.actual, highest=pair.highest, structured=False)
        if not found.undecided:
            yield GuessCompared(
                at=at,
                guess=pair.guess,
                node=pair.node,
                label=pair.label,
                value_sha256=pair.predicted_sha256,
                actual_sha256=pair.actual_sha256,
                tier=found.tier,
                by="wording",
                reason=found.reason,
            )
