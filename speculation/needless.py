"""The calls of a bet that do not lower L.

One pass, dearest first, each call together with what waits for its result (design 1). To take a
call out can only make nodes end later, so what is asked of each is whether the makespan stays. That
is followed from the call downstream, and only as far as ends move: a bet on a thousand nodes is
pruned in the time of a few forecasts, where a forecast per call would take the worker for seconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from forerun.speculation.bet import Stake
from forerun.speculation.makespan import Ahead, Forecast, in_turn


def needless(
    dearest_first: Sequence[Stake], best: Forecast, own: Sequence[Ahead]
) -> frozenset[str]:
    """Nodes whose calls leave the bet; `best` is the forecast with all of them, `own` their part."""
    network = _Without(best, own)
    waiting = _waiting(dearest_first)
    gone: set[str] = set()
    for stake in dearest_first:
        if stake.node not in gone:
            lost = _lost(stake.node, waiting) - gone
            if network.still_in_time(lost):
                gone |= lost
    return frozenset(gone)


def _waiting(stakes: Sequence[Stake]) -> dict[str, list[str]]:
    """By node, those that wait for its result."""
    waiting: dict[str, list[str]] = {}
    for stake in stakes:
        for node in stake.waits_for:
            waiting.setdefault(node, []).append(stake.node)
    return waiting


def _lost(node: str, waiting: Mapping[str, Sequence[str]]) -> set[str]:
    """The node itself and all that hangs on its result."""
    lost, last = {node}, [node]
    while last:
        last = [other for name in last for other in waiting.get(name, ()) if other not in lost]
        lost.update(last)
    return lost


class _Without:
    """The ends of all nodes while calls are taken out of a bet."""

    def __init__(self, best: Forecast, own: Sequence[Ahead]) -> None:
        mine = {id(ahead) for ahead in own}
        self._steps = best.network
        self._ends = dict(best.ends)
        self._aheads = dict(best.aheads)
        self._others = {
            node: [ahead for ahead in best.aheads.get(node, ()) if id(ahead) not in mine]
            for node in {ahead.node for ahead in own}
        }
        self._order = list(best.network)
        self._position = {name: at for at, name in enumerate(self._order)}
        self._users = self._hanging_on()
        self._latest = self._deadlines(best.makespan_ms)

    def still_in_time(self, lost: set[str]) -> bool:
        """Take the calls on `lost` out; if that would prolong the run, leave them in and say no."""
        taken = {node: self._aheads[node] for node in lost}
        self._aheads.update({node: self._others[node] for node in lost})
        before = self._prolonged(lost)
        if before is None:
            return True
        self._ends.update(before)
        self._aheads.update(taken)
        return False

    def _prolonged(self, lost: set[str]) -> dict[str, int] | None:
        """Move the ends that the loss moves; what they were, once one of them comes too late."""
        before: dict[str, int] = {}
        queue = [self._position[node] for node in lost]
        heapq.heapify(queue)
        queued = set(queue)
        while queue:
            name = self._order[heapq.heappop(queue)]
            end = self._end(name)
            if end == self._ends[name]:
                continue
            before[name], self._ends[name] = self._ends[name], end
            if end > self._latest[name]:
                return before
            for user in self._users[name]:
                if user not in queued:
                    queued.add(user)
                    heapq.heappush(queue, user)
        return None

    def _end(self, name: str) -> int:
        ends = [ahead.counts_from(self._ends) for ahead in self._aheads.get(name, ())]
        return min([in_turn(self._steps[name], self._ends), *ends])

    def _hanging_on(self) -> dict[str, list[int]]:
        """By node, the positions of those whose ends may move with its own."""
        users: dict[str, list[int]] = {name: [] for name in self._order}
        for at, (name, step) in enumerate(self._steps.items()):
            for up in () if step.started else step.upstream:
                users[up].append(at)
            for ahead in self._aheads.get(name, ()):
                for assumed in ahead.assumed:
                    if assumed in users:
                        users[assumed].append(at)
        return users

    def _deadlines(self, makespan_ms: int) -> dict[str, int]:
        """No node may end later than this, or the run takes longer; never too early a time.

        Behind a node that something runs ahead of, nobody needs to wait: it sets no deadline.
        """
        latest = dict.fromkeys(self._order, makespan_ms)
        for name in reversed(self._order):
            step = self._steps[name]
            if step.started or name in self._aheads:
                continue
            by = latest[name] - step.ms
            for up in step.upstream:
                latest[up] = min(latest[up], by)
        return latest
