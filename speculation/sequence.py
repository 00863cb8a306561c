"""The run that was not: every call in its turn, none ahead of what it needs.

The law: the same parallel DAG, with the durations that its calls really took. What speculation saved
is the difference to this, and not to a run of one call after the other.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A node and how long its own call took, in milliseconds.

    It begins when all that it `waits_for` is over, and `pause_ms` after the last of `after`. Those
    with the same `group` share so many `places`.
    """

    node: str
    waits_for: tuple[str, ...]
    ms: int
    after: tuple[str, ...] = ()
    pause_ms: int = 0
    group: str | None = None
    places: int = 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when, in milliseconds since the run began."""

    begin_ms: int
    end_ms: int


def in_sequence(turns: Iterable[Turn]) -> dict[str, Stretch]:
    """When each node would have run; every turn comes after those that it waits for."""
    laid: dict[str, Stretch] = {}
    groups: dict[str, list[int]] = {}
    for turn in turns:
        ms = max(turn.ms, 0)
        begin = max(_last(turn.waits_for, laid), _last(turn.after, laid) + turn.pause_ms)
        if turn.group is not None:
            free = groups.setdefault(turn.group, [0] * turn.places)
            begin = max(begin, free[0])
            heapq.heapreplace(free, begin + ms)
        laid[turn.node] = Stretch(begin, begin + ms)
    return laid


def span_ms(laid: Mapping[str, Stretch]) -> int:
    """How long all of it takes; 0 for nothing."""
    return max((stretch.end_ms for stretch in laid.values()), default=0)


def _last(names: Iterable[str], laid: Mapping[str, Stretch]) -> int:
    return max([0, *(laid[name].end_ms for name in names)])
