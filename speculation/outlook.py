"""When the run will be over, followed while speculations come and go.

One batch of decisions asks for M hundreds of times, each time with a little changed: a bet is tried
and taken back, a call dropped, a bet placed. So ends are worked out once, and then only those that
move; what was tried is undone by putting back what was there before.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from operator import add, attrgetter
from typing import Any

from forerun.speculation.horizon import Horizon
from forerun.speculation.makespan import Ahead, Leg, Network, end_of, forecast, in_turn


class Outlook:
    """The ends of a run's nodes if all speculations that are ahead prove right.

    `movable` are the nodes that something may run ahead of or that may be skipped, each with those
    whose ends a speculation on it may assume.
    """

    def __init__(self, network: Network, movable: Mapping[str, Collection[str]]) -> None:
        assumed = {name for names in movable.values() for name in names if name in network}
        self._horizon = Horizon(network, movable, assumed)
        self._steps = dict(self._horizon.near)
        self._aheads: dict[str, tuple[Ahead, ...]] = dict.fromkeys(self._steps, ())
        self._ends = forecast(self._steps, ()).ends
        self._order = list(self._steps)
        self._position = {name: at for at, name in enumerate(self._order)}
        self._ways_ms = [self._horizon.way_ms[name] for name in self._order]
        self._users = self._hanging_on(movable)
        self._moved = bytearray(len(self._order))
        self._undo: list[tuple[dict[str, Any], str, Any]] = []
        self.makespan_ms = self._longest()
        """M, in milliseconds from now."""

    @contextmanager
    def trial(self) -> Generator[None]:
        """Whatever is changed in this block is undone after it."""
        makespan_ms, done = self.makespan_ms, len(self._undo)
        try:
            yield
        finally:
            self._undo_to(done)
            self.makespan_ms = makespan_ms

    def add(self, aheads: Iterable[Ahead]) -> None:
        """Let these run ahead too."""
        for ahead in aheads:
            self._put(self._aheads, ahead.node, (*self._aheads[ahead.node], ahead))
            self._touch(ahead.node)
        self._follow()
        self.makespan_ms = self._longest()

    def remove(self, aheads: Iterable[Ahead]) -> None:
        """Let these no longer run ahead."""
        for ahead in aheads:
            self._take(ahead)
        self._follow()
        self.makespan_ms = self._longest()

    def spare(self, aheads: Sequence[Ahead]) -> bool:
        """Remove these if the run ends no later without them; whether it does."""
        if any(self.needs(ahead) for ahead in aheads):
            return False
        done = len(self._undo)
        for ahead in aheads:
            self._take(ahead)
        if self._follow(self.makespan_ms):
            return True
        self._undo_to(done)
        self._moved = bytearray(len(self._order))
        return False

    def needs(self, ahead: Ahead) -> bool:
        """Whether its node alone would prolong the run without it: then nothing spares it.

        That holds for good while others are only spared: ends come no earlier for it.
        """
        name = ahead.node
        end = end_of(self._steps[name], self._others(ahead), self._ends)
        return end + self._ways_ms[self._position[name]] > self.makespan_ms

    def skip(self, nodes: Iterable[str]) -> None:
        """Let these take no time; unknown ones are over."""
        for name in nodes:
            if name in self._steps:
                self._put(self._steps, name, replace(self._steps[name], ms=0))
                self._touch(name)
        self._follow()
        self.makespan_ms = self._longest()

    def first_ahead_of(self, node: str) -> Ahead | None:
        """The speculation on a node that will be done first, if there is one."""
        return min(self._aheads.get(node, ()), key=attrgetter("end_ms"), default=None)

    def end_ms(self, node: str) -> int:
        """When a node will be over, in milliseconds from now; 0 if it is unknown, thus over."""
        return self._ends.get(node, 0)

    def critical_path(self) -> tuple[Leg, ...]:
        """Legs that add up to the makespan, first to last, none of them empty."""
        due = zip(self._order, map(add, self._ends.values(), self._ways_ms), strict=True)
        last = tuple(name for name, ms in due if ms == self.makespan_ms)
        node, legs = self._horizon.way_on(last, self.makespan_ms)
        stretches = [legs]
        while node is not None:
            node, own = self._binding(node)
            stretches.append(tuple(leg for leg in own if leg.ms))
        return tuple(chain.from_iterable(reversed(stretches)))

    def _binding(self, name: str) -> tuple[str | None, tuple[Leg, ...]]:
        """What the end of a node hangs on, and the legs from there: its turn, unless one is ahead."""
        step, end = self._steps[name], self._ends[name]
        if in_turn(step, self._ends) == end:
            return self._last(step.awaits), (Leg(name, step.ms),)
        ahead = next(a for a in self._aheads[name] if a.counts_from(self._ends) == end)
        known = self._last(ahead.assumed)
        if known is not None and self._ends[known] == end:
            return known, ()
        return None, ahead.legs

    def _last(self, names: Iterable[str]) -> str | None:
        near = (name for name in names if name in self._ends)
        return max(near, key=self._ends.__getitem__, default=None)

    def _longest(self) -> int:
        due = map(add, self._ends.values(), self._ways_ms)
        return max(self._horizon.past_ms, max(due, default=0))

    def _others(self, ahead: Ahead) -> tuple[Ahead, ...]:
        return tuple([other for other in self._aheads[ahead.node] if other is not ahead])

    def _take(self, ahead: Ahead) -> None:
        self._put(self._aheads, ahead.node, self._others(ahead))
        self._touch(ahead.node)

    def _put(self, figures: dict[str, Any], node: str, value: Any) -> None:
        self._undo.append((figures, node, figures[node]))
        figures[node] = value

    def _undo_to(self, done: int) -> None:
        while len(self._undo) > done:
            figures, node, value = self._undo.pop()
            figures[node] = value

    def _touch(self, node: str) -> None:
        self._moved[self._position[node]] = 1

    def _follow(self, latest_ms: int | None = None) -> bool:
        """Move the ends that hang on touched nodes; stop, with no, if the run ends after that."""
        moved, ends = self._moved, self._ends
        while (at := moved.find(1)) >= 0:
            moved[at] = 0
            name = self._order[at]
            end = end_of(self._steps[name], self._aheads[name], ends)
            if end == ends[name]:
                continue
            self._put(ends, name, end)
            if latest_ms is not None and end + self._ways_ms[at] > latest_ms:
                return False
            for user in self._users[at]:
                moved[user] = 1
        return True

    def _hanging_on(self, movable: Mapping[str, Collection[str]]) -> list[list[int]]:
        """By position, the positions of those whose ends may move with its own."""
        users: list[list[int]] = [[] for _ in self._order]
        for at, (name, step) in enumerate(self._steps.items()):
            for up in {*step.awaits, *movable.get(name, ())}:
                if up in self._position:
                    users[self._position[up]].append(at)
        return users
