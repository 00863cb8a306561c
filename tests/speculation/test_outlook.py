"""The outlook, which follows only the ends that move, against whole forecasts of the same run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.makespan import Ahead, Leg, Network, Step, forecast, in_turn
from forerun.speculation.outlook import Outlook

T = TypeVar("T")


def some(of: Sequence[T], most: int | None = None) -> st.SearchStrategy[list[T]]:
    """A few of them, each once."""
    return st.lists(st.sampled_from(of), unique_by=id, max_size=most) if of else st.just([])


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Step]:
    """Random DAGs in which ends often coincide; roots and a few others have started."""
    network: dict[str, Step] = {}
    for i in range(draw(st.integers(1, 12))):
        upstream = draw(some(list(network), most=3))
        network[f"n{i}"] = Step(
            upstream=tuple(upstream),
            ms=draw(st.integers(0, 4)),
            started=not upstream or draw(st.integers(0, 9)) == 0,
        )
    return network


@st.composite
def speculations(draw: st.DrawFn, network: Network) -> list[Ahead]:
    """Speculations on any nodes; they assume nodes before these, or some that are over."""
    names, found = list(network), list[Ahead]()
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(names) - 1))
        assumed = draw(some(["over", *names[:at]], most=2))
        after = draw(st.sampled_from([None, *found]))
        ms = draw(st.integers(0, 6))
        found.append(Ahead(node=names[at], ms=ms, assumed=tuple(assumed), after=after))
    return found


@given(st.data())
def test_it_is_a_whole_forecast_whatever_comes_and_goes(data: st.DataObject) -> None:
    """Ends, makespan and critical path are the same after every change, and after undoing it."""
    network = data.draw(networks())
    aheads = data.draw(speculations(network))
    skippable = data.draw(some(list(network)))
    outlook, there = Outlook(network, movable(aheads, skippable)), list[Ahead]()
    for _ in range(data.draw(st.integers(1, 4))):
        with outlook.trial():
            skipped = data.draw(some(skippable))
            outlook.skip(skipped)
            where = {**network, **{name: replace(network[name], ms=0) for name in skipped}}
            tried = changed(outlook, there, aheads, data)
            compare(outlook, where, tried)
        compare(outlook, network, there)
        there = changed(outlook, there, aheads, data)
        compare(outlook, network, there)


@given(st.data())
def test_it_spares_what_the_run_does_not_wait_for(data: st.DataObject) -> None:
    """Speculations go if the makespan stays, and stay if it would grow."""
    network = data.draw(networks())
    there = data.draw(speculations(network))
    outlook = Outlook(network, movable(there, ()))
    outlook.add(there)
    while there:
        gone = data.draw(some(there))
        fewer = without(there, gone)
        needless = makespan_ms(network, fewer) == makespan_ms(network, there)

        assert outlook.spare(gone) == needless
        there = fewer if needless else there
        compare(outlook, network, there)
        if not gone:
            break


def test_what_is_assumed_may_stand_later_in_the_network() -> None:
    """A guess made from another branch: the order of the network does not say what comes first."""
    network = {
        "a": Step(upstream=(), ms=5, started=True),
        "b": Step(upstream=("a",), ms=90),
        "elsewhere": Step(upstream=(), ms=30, started=True),
    }
    outlook = Outlook(network, {"b": ["a", "elsewhere"]})

    outlook.add([Ahead(node="b", ms=10, assumed=("a", "elsewhere"))])

    assert outlook.end_ms("b") == outlook.makespan_ms == 30
    assert outlook.critical_path() == (Leg("elsewhere", 30),)


def movable(aheads: Sequence[Ahead], skippable: Collection[str]) -> dict[str, set[str]]:
    """All that will be tried."""
    assumed: dict[str, set[str]] = {name: set() for name in skippable}
    for ahead in aheads:
        assumed.setdefault(ahead.node, set()).update(ahead.assumed)
    return assumed


def changed(
    outlook: Outlook, there: list[Ahead], aheads: list[Ahead], data: st.DataObject
) -> list[Ahead]:
    """Take some of those away that are there, and add some that are not."""
    gone = data.draw(some(there))
    more = data.draw(some(without(aheads, there)))
    outlook.remove(gone)
    outlook.add(more)
    return [*without(there, gone), *more]


def without(aheads: Sequence[Ahead], gone: Sequence[Ahead]) -> list[Ahead]:
    """Speculations that look alike are still two."""
    ids = {id(ahead) for ahead in gone}
    return [ahead for ahead in aheads if id(ahead) not in ids]


def makespan_ms(network: Network, aheads: Sequence[Ahead]) -> int:
    """M by a whole forecast."""
    return forecast(network, aheads).makespan_ms


def compare(outlook: Outlook, network: Network, aheads: Sequence[Ahead]) -> None:
    """Against a forecast of the whole network."""
    ends = forecast(network, aheads).ends
    path = outlook.critical_path()
    assert outlook.makespan_ms == max(ends.values()) == sum(leg.ms for leg in path)
    assert path == plain_path(network, aheads, ends)
    for name in {ahead.node for ahead in aheads} | {n for a in aheads for n in a.assumed}:
        assert outlook.end_ms(name) == ends.get(name, 0)


def plain_path(network: Network, aheads: Sequence[Ahead], ends: dict[str, int]) -> tuple[Leg, ...]:
    """Backwards from the first node that ends last, always to the first that it hangs on."""
    node: str | None = max(ends, key=ends.__getitem__)
    stretches: list[tuple[Leg, ...]] = []
    while node is not None:
        step, end = network[node], ends[node]
        on = [a for a in aheads if a.node == node and a.counts_from(ends) == end]
        if in_turn(step, ends) == end:
            stretches.append((Leg(node, step.ms),))
            node = max(step.awaits, key=ends.__getitem__, default=None)
        else:
            known = max((n for n in on[0].assumed if n in ends), key=ends.__getitem__, default=None)
            held = known is not None and ends[known] == end
            stretches.append(() if held else on[0].legs)
            node = known if held else None
    return tuple(leg for stretch in reversed(stretches) for leg in stretch if leg.ms)
