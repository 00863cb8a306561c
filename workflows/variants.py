"""Variants: the values that a node may turn out to have, and how those of several nodes combine.

Combinations are folded node by node, and what excludes itself or rests on too many guesses is left
out at once: the product of all variants of twenty guessed nodes would never be finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.bet import node_of
    from forerun.speculation.table import Absent, Awaited, Given, Input

COMBINATIONS_PER_NODE = 64
"""Of a node's inputs; kept are those that rest on the fewest guesses."""

Guesses = tuple[str, ...]
"""The ids of guesses that something rests on, sorted."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One value that a node may turn out to have, and the guesses that this rests on."""

    source: Input
    guesses: Guesses
    value: Any = None

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The calls whose results it still waits for; none where the value is there."""
        return self.source.calls if isinstance(self.source, Awaited) else ()

    @property
    def certain(self) -> bool:
        """Whether it is no guess, nor the result of a speculation."""
        return isinstance(self.source, Given) or self.source == Absent(())

    @property
    def absent(self) -> bool:
        """Whether the node is skipped in this variant."""
        return isinstance(self.source, Absent)


@dataclass(frozen=True, slots=True)
class Combination:
    """One variant of each upstream, none of which excludes another, and all their guesses."""

    chosen: tuple[Variant, ...]
    guesses: Guesses


# A trail links each variant to those chosen before it: tuples would be copied a thousand times over
# for a node that reads a thousand others.
_Trail = tuple["Variant", "_Trail"] | None


def combinations(upstream: Sequence[Sequence[Variant]], max_depth: int) -> list[Combination]:
    """The ways to choose one variant each that rest on at most `max_depth` guesses; none of nothing."""
    if not upstream:
        return []
    found: list[tuple[Guesses, _Trail]] = [((), None)]
    for variants in upstream:
        found = [
            (guesses, (variant, trail))
            for before, trail in found
            for variant in variants
            if (guesses := united(before, variant.guesses)) is not None
            and len(guesses) <= max_depth
        ]
        found.sort(key=_count)
        del found[COMBINATIONS_PER_NODE:]
    return [Combination(_unrolled(trail), guesses) for guesses, trail in found]


def united(one: Guesses, other: Guesses) -> Guesses | None:
    """The guesses of both; None where two of them exclude each other."""
    if not other or one == other:
        return one
    if not one:
        return other
    by_node = {node_of(guess): guess for guess in one}
    for guess in other:
        if by_node.setdefault(node_of(guess), guess) != guess:
            return None
    return tuple(sorted(by_node.values()))


def _count(found: tuple[Guesses, _Trail]) -> int:
    return len(found[0])


def _unrolled(trail: _Trail) -> tuple[Variant, ...]:
    chosen: list[Variant] = []
    while trail is not None:
        variant, trail = trail
        chosen.append(variant)
    return tuple(reversed(chosen))
