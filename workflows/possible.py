"""Possible calls, and the bets that they make up: what a survey finds and a decision is asked about.

A decision is bounded: so many calls in a bet, so many calls and bets in a batch. The rest of a wide
fan-out is still judged with it, as often only all of it together saves any time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from temporalio import workflow

from forerun.workflows.options import BETS_PER_BATCH

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.assessment import CALLS_PER_RECORD
    from forerun.speculation.bet import Refusal, bet_id, exclusive
    from forerun.speculation.table import Awaited, Given, Guessed, Input, Inputs
    from forerun.workflows.dispatch import Planned
    from forerun.workflows.variants import Guesses

CALLS_PER_BATCH = 128
"""Of about 0.7 KB each in the record: a marker stays below 128 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """A call that could be made on guesses; `planned` is None while it waits for results.

    Several ways may lead to the very same call: they are alternatives of one launch, and `ways` are
    the guesses that each of them rests on.
    """

    node: str
    alternatives: list[Inputs]
    ways: list[Guesses]
    planned: Planned | None

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The calls whose results it waits for."""
        sources = self.alternatives[0].values()
        return tuple(call for s in sources if isinstance(s, Awaited) for call in s.calls)


@dataclass(slots=True)
class PossibleBet:
    """All possible calls that assume exactly these guesses.

    `skipped` nodes will not run then. `otherwise` are further sets of guesses, each of which excludes
    all others, that lead to the very same calls. `question` names the assumptions and the calls that
    could be launched on them.
    """

    guesses: Guesses
    question: str = ""
    calls: dict[str, Possible] = field(default_factory=dict[str, Possible])
    skipped: list[str] = field(default_factory=list[str])
    refused: list[Refusal] = field(default_factory=list[Refusal])
    otherwise: list[Guesses] = field(default_factory=list[Guesses])

    @property
    def decidable(self) -> bool:
        """Something could be launched, or was refused: worth a record."""
        ready = any(call.planned for call in self.calls.values())
        return ready or (bool(self.refused) and not self.calls)

    def refuse(self, refusal: Refusal) -> None:
        """Note that the bet reaches a node that it must not run."""
        if refusal not in self.refused and len(self.refused) < CALLS_PER_RECORD:
            self.refused.append(refusal)

    def ask(self, absent: Sequence[tuple[str, Guesses]]) -> PossibleBet:
        """Make it a question; `absent` are nodes that are skipped, and the guesses that say so."""
        self.calls = _bounded(self.calls)
        ready = (call.planned for call in self.calls.values() if call.planned)
        named = sorted(p.call.fingerprint[:12] for p in itertools.islice(ready, CALLS_PER_RECORD))
        self.question = " ".join([bet_id(self.guesses), "?", *named])
        self.skipped = [name for name, guesses in absent if set(guesses) <= set(self.guesses)]
        self.otherwise = self._exclusive_ways()
        return self

    def _exclusive_ways(self) -> list[Guesses]:
        first = next((call for call in self.calls.values() if call.planned), None)
        others = first.ways[1:] if first else []
        shared = [w for w in others if all(self._same(c, w) for c in self.calls.values())]
        return exclusive([self.guesses, *shared])[1:]

    def _same(self, call: Possible, way: Guesses) -> bool:
        """Whether a call is the same if these guesses hold; one that waits is if its inputs are."""
        if call.planned:
            return way in call.ways
        return all(self._stands(source, way) for source in call.alternatives[0].values())

    def _stands(self, source: Input, way: Guesses) -> bool:
        """Whether an input is certainly the same if these guesses hold."""
        match source:
            case Given():
                return True
            case Guessed(guess=guess, made_from=None):
                return guess in way
            case Awaited(calls=calls):
                return all(call in self.calls for call in calls)
            case _:
                return False


def batches(bets: Sequence[PossibleBet]) -> Iterator[list[PossibleBet]]:
    """The bets in order, as many at once as a marker holds and a decision takes milliseconds for."""
    batch: list[PossibleBet] = []
    calls = 0
    for bet in bets:
        more = min(len(bet.calls), CALLS_PER_RECORD)
        if batch and (calls + more > CALLS_PER_BATCH or len(batch) == BETS_PER_BATCH):
            yield batch
            batch, calls = [], 0
        batch.append(bet)
        calls += more
    if batch:
        yield batch


def _bounded(calls: Mapping[str, Possible]) -> dict[str, Possible]:
    """The ready calls of a bet, and as many that wait for only these as a record has room for.

    Ready ones beyond that are judged with the others and launched in the rounds after.
    """
    kept = {name for name, call in calls.items() if call.planned}
    for name, call in calls.items():
        if len(kept) >= CALLS_PER_RECORD:
            break
        if all(up in kept or up not in calls for up in call.waits_for):
            kept.add(name)
    return {name: call for name, call in calls.items() if name in kept}
