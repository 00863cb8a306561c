"""The call table: which speculations are under way or done, and what each of them assumes.

Nothing looks at a speculative result but further speculation. A need for a call finds a speculation
only by fingerprint, so a wrong guess needs no rollback: nobody looks up its fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from forerun.speculation.call import Call


class Ending(StrEnum):
    """What became of a speculation: exactly one of these, once its activity has ended."""

    PROMOTED = "promoted"
    DISCARDED = "discarded"
    CUT = "cut"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Given:
    """An input that is certain: the authoritative output of a node."""


@dataclass(frozen=True, slots=True)
class Guessed:
    """An input taken from a guess."""

    guess: str
    made_from: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """An input from a guess that differs from the answer, but was found to say the same (tiers 2, 3).

    It is certain by now: it rests on no guess any more.
    """

    guess: str


@dataclass(frozen=True, slots=True)
class Resulting:
    """An input taken from the result of another speculation: no guess, but it inherits."""

    speculation: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """A list of results of other speculations, one for each item; of none, it rests on `guesses`."""

    speculations: tuple[str, ...]
    guesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """An input from a node that is skipped if these guesses are right."""

    guesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Awaited:
    """An input from calls that are only about to be made; no call that is made has one."""

    calls: tuple[str, ...]


Input = Given | Guessed | Accepted | Resulting | Gathered | Absent | Awaited

Inputs = Mapping[str, Input]
"""Where a call's inputs come from, by upstream node."""


@dataclass(slots=True, kw_only=True)
class SpeculativeCall:
    """One call started before its inputs are certain.

    `alternatives` are the ways in which it may prove right; it is refuted when none is left.
    `own_ms` is what the call itself took: in the queue of guesses it may have waited for long. One
    whose cut was requested, or that failed, can no longer be claimed, whatever it still returns.
    `approximates` are the guesses that stood for the actual values when it was claimed; none where
    its call was the very one that was needed.
    """

    id: str
    node: str
    call: Call
    fingerprint: str
    bet: str
    label: str
    worst_usd: Decimal
    launched_ms: int
    alternatives: list[Inputs] = field(default_factory=list[Inputs])
    output: Any = None
    done_ms: int | None = None
    own_ms: int = 0
    claimed_by: str | None = None
    approximates: tuple[str, ...] = ()
    cut_reason: str | None = None
    ending: Ending | None = None

    @property
    def live(self) -> bool:
        """Its activity has not ended yet."""
        return self.done_ms is None and self.ending is None

    @property
    def open(self) -> bool:
        """Unclaimed and claimable: neither cut nor failed nor settled."""
        return self.claimed_by is None and self.cut_reason is None and self.ending is None


class CallTable:
    """All speculations of a run, in the order of their launch."""

    def __init__(self) -> None:
        self._all: dict[str, SpeculativeCall] = {}
        self._by_call: dict[str, list[SpeculativeCall]] = {}
        self._of_node: dict[tuple[str, str], SpeculativeCall] = {}

    def __iter__(self) -> Iterator[SpeculativeCall]:
        return iter(self._all.values())

    def __getitem__(self, speculation: str) -> SpeculativeCall:
        return self._all[speculation]

    def add(self, speculation: SpeculativeCall) -> None:
        """Enter a launched speculation."""
        self._all[speculation.id] = speculation
        self._by_call.setdefault(speculation.fingerprint, []).append(speculation)
        self._of_node.setdefault((speculation.node, speculation.fingerprint), speculation)

    def open(self) -> list[SpeculativeCall]:
        """Those that may still be claimed, in the order of their launch."""
        return [s for s in self._all.values() if s.open]

    def claimable(self, fingerprint: str) -> SpeculativeCall | None:
        """The first open speculation of exactly that call."""
        return next((s for s in self._by_call.get(fingerprint, ()) if s.open), None)

    def of(self, node: str, fingerprint: str) -> SpeculativeCall | None:
        """The speculation of that node and call, whatever became of it: no bet is placed twice."""
        return self._of_node.get((node, fingerprint))

    def assumptions(self, inputs: Inputs) -> tuple[str, ...]:
        """The guesses that `inputs` rest on, inherited ones included, sorted."""
        return tuple(sorted({g for source in inputs.values() for g in self._beneath(source)}))

    def _beneath(self, source: Input) -> Iterable[str]:
        match source:
            case Guessed(guess=guess, made_from=made_from):
                return (guess, *self._inherited(made_from))
            case Resulting(speculation=speculation):
                return self._inherited(speculation)
            case Gathered(speculations=()) | Absent():
                return source.guesses
            case Gathered(speculations=speculations):
                return [guess for s in speculations for guess in self._inherited(s)]
            case Given() | Accepted() | Awaited():
                return ()

    def _inherited(self, speculation: str | None) -> tuple[str, ...]:
        """What its own node has claimed is authoritative, and hands on no assumption.

        What another node has claimed, as the very call that it needs, may still prove wrong here.
        """
        made = self._all[speculation] if speculation else None
        if made is None or made.claimed_by == made.node or not made.alternatives:
            return ()
        return self.assumptions(made.alternatives[0])

    def refute(self, refuted: SpeculativeCall) -> list[SpeculativeCall]:
        """Drop every alternative that rests on the result of `refuted`; who is left with none."""
        lost: list[SpeculativeCall] = []
        for speculation in self.open():
            kept = [a for a in speculation.alternatives if not _rests_on(a, refuted.id)]
            if len(kept) < len(speculation.alternatives):
                speculation.alternatives = kept
                if not kept:
                    lost.append(speculation)
        return lost


def _rests_on(inputs: Inputs, speculation: str) -> bool:
    return any(speculation in _results(source) for source in inputs.values())


def _results(source: Input) -> tuple[str | None, ...]:
    match source:
        case Resulting(speculation=speculation):
            return (speculation,)
        case Gathered(speculations=speculations):
            return speculations
        case Guessed(made_from=made_from):
            return (made_from,)
        case _:
            return ()
