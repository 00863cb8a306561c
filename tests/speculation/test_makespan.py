"""M(S) against an event-by-event simulation of the same run, and what of two paths is recorded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.makespan import Ahead, Leg, Step, differing, forecast
from tests.speculation.simulation import simulate


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Step]:
    """Small random DAGs, some nodes done or running."""
    names = [f"n{i}" for i in range(draw(st.integers(1, 8)))]
    network: dict[str, Step] = {}
    for i, name in enumerate(names):
        upstream = tuple(draw(st.sets(st.sampled_from(names[:i])))) if i else ()
        started = all(network[up].ms == 0 and network[up].started for up in upstream)
        network[name] = Step(
            upstream=upstream,
            ms=draw(st.integers(0, 50)),
            started=started and draw(st.booleans()),
        )
    return network


@st.composite
def runs(draw: st.DrawFn) -> tuple[dict[str, Step], list[Ahead]]:
    """A network and speculations on nodes whose assumed nodes are upstream of them."""
    network = draw(networks())
    candidates = [name for name, step in network.items() if step.upstream and not step.started]
    aheads = [
        Ahead(
            node=name,
            ms=draw(st.integers(0, 60)),
            assumed=tuple(draw(st.sets(st.sampled_from(network[name].upstream), min_size=1))),
        )
        for name in candidates
        if draw(st.booleans())
    ]
    return network, aheads


@given(runs())
def test_makespan_equals_simulation(run: tuple[dict[str, Step], list[Ahead]]) -> None:
    """The longest path is what a simulation of the run takes."""
    network, aheads = run

    assert forecast(network, aheads).makespan_ms == simulate(network, aheads)


@given(runs())
def test_speculation_never_slows_the_forecast(run: tuple[dict[str, Step], list[Ahead]]) -> None:
    """A speculation that proves right can only help."""
    network, aheads = run

    assert forecast(network, aheads).makespan_ms <= forecast(network, []).makespan_ms


def test_result_counts_from_the_end_of_what_it_assumes() -> None:
    """Done early is not over early: nobody knows yet that it was right."""
    network = {"a": Step(upstream=(), ms=100, started=True), "b": Step(upstream=("a",), ms=40)}

    early = forecast(network, [Ahead(node="b", ms=0, assumed=("a",))])

    assert early.ends == {"a": 100, "b": 100}


def test_a_result_that_is_needed_comes_first() -> None:
    """A call that waits for another speculation begins when that one ends."""
    first = Ahead(node="b", ms=10, assumed=("a",))

    then = Ahead(node="c", ms=5, assumed=("a",), after=first)

    assert then.end_ms == 15
    assert then.legs == (Leg("b", 10), Leg("c", 5))


legs = st.lists(st.builds(Leg, st.sampled_from("ab"), st.integers(1, 2)), max_size=6).map(tuple)


@given(legs, legs, legs, legs)
def test_common_heads_and_tails_are_left_out(
    head: tuple[Leg, ...], one: tuple[Leg, ...], other: tuple[Leg, ...], tail: tuple[Leg, ...]
) -> None:
    """What is left differs in length as the whole paths do, and begins and ends differently."""
    left, right = differing((*head, *one, *tail), (*head, *other, *tail))

    assert length(left) - length(right) == length(one) - length(other)
    assert len(left) <= len(one)
    assert len(right) <= len(other)
    assert not left or not right or (left[0] != right[0] and left[-1] != right[-1])


def length(path: tuple[Leg, ...]) -> int:
    """How long it takes."""
    return sum(leg.ms for leg in path)
