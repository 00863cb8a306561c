"""The oracle's makespan against every schedule there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.oracle import RightGuess, Step, best_makespan

Starts = tuple[int | None, ...]


def shortest(steps: Mapping[str, Step], ahead: frozenset[str]) -> int:
    """By brute force: try every set of startable steps at every whole second."""
    names = list(steps)
    horizon = int(sum(step.seconds for step in steps.values()))

    def end(name: str, starts: Starts) -> float:
        start = starts[names.index(name)]
        return float("inf") if start is None else start + steps[name].seconds

    def certain(name: str, starts: Starts) -> float:
        return max([end(name, starts), *(certain(up, starts) for up in steps[name].reads)])

    def known(name: str, starts: Starts, now: int) -> bool:
        guess = steps[name].guess
        if end(name, starts) <= now:
            return True
        if guess is None:
            return False
        return guess.made_from is None or end(guess.made_from, starts) <= now

    def startable(name: str, starts: Starts, now: int) -> bool:
        if name in ahead:
            return all(known(up, starts, now) for up in steps[name].reads)
        return all(certain(up, starts) <= now for up in steps[name].reads)

    @cache
    def best(now: int, starts: Starts) -> float:
        if None not in starts:
            return max((certain(name, starts) for name in names), default=0)
        if now > horizon:
            return float("inf")
        free = [i for i, s in enumerate(starts) if s is None and startable(names[i], starts, now)]
        tries = [_started(starts, chosen, now) for chosen in _subsets(free)]
        # What is started may take no time, and something else be startable in the same second.
        same = (best(now, tried) for tried in tries if tried != starts)
        return min(chain(same, [best(now + 1, starts)]))

    return int(best(0, (None,) * len(names)))


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
