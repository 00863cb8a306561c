"""The oracle's makespan against every schedule there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.oracle import RightGuess, Step, best_makespan

Starts = tuple[int | None, ...]


def shortest(steps: Mapping[str, Step], ahead: frozenset[str]) -> int:
    """By brute force: try every set of startable steps at every whole second."""
    world = World(steps, ahead)
    horizon = int(sum(step.seconds for step in steps.values()))

    @cache
    def best(now: int, starts: Starts) -> float:
        if None not in starts:
            return max((world.certain(name, starts) for name in steps), default=0)
        if now > horizon:
            return float("inf")
        free = [i for i, start in enumerate(starts) if start is None and world.may(i, starts, now)]
        tries = [_started(starts, chosen, now) for chosen in _subsets(free)]
        # What is started may take no time, and something else be startable in the same second.
        same = (best(now, tried) for tried in tries if tried != starts)
        return min(chain(same, [best(now + 1, starts)]))

    return int(best(0, (None,) * len(steps)))


@dataclass(frozen=True, slots=True)
class World:
    """What is known when, if steps start at given seconds."""

    steps: Mapping[str, Step]
    ahead: frozenset[str]

    def certain(self, name: str, starts: Starts) -> float:
        """When a step is over and all before it are."""
        return max([self._end(name, starts), *self._certain(self.steps[name].reads, starts)])

    def may(self, index: int, starts: Starts, now: int) -> bool:
        """Whether a step may start now."""
        name = list(self.steps)[index]
        reads = self.steps[name].reads
        if name in self.ahead:
            return all(self._known(up, starts, now) for up in reads)
        return all(certain <= now for certain in self._certain(reads, starts))

    def _certain(self, names: Iterable[str], starts: Starts) -> list[float]:
        return [self.certain(name, starts) for name in names]

    def _end(self, name: str, starts: Starts) -> float:
        start = starts[list(self.steps).index(name)]
        return float("inf") if start is None else start + self.steps[name].seconds

    def _known(self, name: str, starts: Starts, now: int) -> bool:
        guess = self.steps[name].guess
        if self._end(name, starts) <= now:
            return True
        if guess is None:
            return False
        return guess.made_from is None or self._end(guess.made_from, starts) <= now


def _subsets(items: list[int]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def _started(starts: Starts, chosen: tuple[int, ...], now: int) -> Starts:
    return tuple(now if i in chosen else start for i, start in enumerate(starts))


@st.composite
def dags(draw: st.DrawFn) -> dict[str, Step]:
    """Up to four steps of up to two seconds, some of them guessed right."""
    names = [f"n{i}" for i in range(draw(st.integers(0, 4)))]
    steps: dict[str, Step] = {}
    for i, name in enumerate(names):
        sources = st.sampled_from([None, *names[:i]])
        guesses = st.none() | st.builds(RightGuess, made_from=sources)
        reads = draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else []
        steps[name] = Step(reads=tuple(reads), seconds=draw(st.integers(0, 2)), guess=draw(guesses))
    return steps


@given(dags(), st.sets(st.sampled_from(["n0", "n1", "n2", "n3"])))
def test_no_schedule_is_shorter_and_one_is_as_short(
    steps: dict[str, Step], ahead: set[str]
) -> None:
    """The formula gives the least makespan over all schedules, whoever may run ahead."""
    assert best_makespan(steps, ahead) == shortest(steps, frozenset(ahead))


@given(dags())
def test_more_freedom_never_takes_longer(steps: dict[str, Step]) -> None:
    """From nothing ahead over some to all: each makespan is at most the one before."""
    some = [name for i, name in enumerate(steps) if i % 2]
    without, part, oracle = (best_makespan(steps, a) for a in ((), some, None))
    assert oracle <= part <= without


def test_a_chain_of_constants_takes_as_long_as_its_longest_step() -> None:
    """Where every output is known beforehand, all calls run at once."""
    steps = {
        f"n{i}": Step(reads=(f"n{i - 1}",) if i else (), seconds=1 + i % 3, guess=RightGuess())
        for i in range(5)
    }
    assert best_makespan(steps) == 3
    assert best_makespan(steps, ()) == 1 + 2 + 3 + 1 + 2
