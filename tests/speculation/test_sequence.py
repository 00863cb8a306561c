"""The run that was not: every call in its turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.sequence import Stretch, Turn, in_sequence, span_ms


@st.composite
def chains(draw: st.DrawFn) -> list[Turn]:
    """DAGs: each turn waits for some before it."""
    turns: list[Turn] = []
    for index in range(draw(st.integers(1, 8))):
        earlier = [turn.node for turn in turns]
        waits_for = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        ms = draw(st.integers(0, 1000))
        turns.append(Turn(node=f"n{index}", waits_for=tuple(waits_for), ms=ms))
    return turns


@given(chains())
def test_each_begins_when_the_last_that_it_needs_is_over(turns: list[Turn]) -> None:
    """At once, and never earlier; it takes as long as it took."""
    laid = in_sequence(turns)

    for turn in turns:
        needed = [laid[name].end_ms for name in turn.waits_for]
        assert laid[turn.node] == Stretch(max([0, *needed]), max([0, *needed]) + turn.ms)
    assert max(turn.ms for turn in turns) <= span_ms(laid) <= sum(turn.ms for turn in turns)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12), st.integers(1, 4))
def test_a_group_shares_its_places(durations: list[int], places: int) -> None:
    """Never more at a time than there are places, and none is left empty while one waits."""
    laid = in_sequence(
        Turn(node=str(index), waits_for=(), ms=ms, group="g", places=places)
        for index, ms in enumerate(durations)
    )

    begins = [stretch.begin_ms for stretch in laid.values()]
    for begin in begins:
        running = [one for one in laid.values() if one.begin_ms <= begin < one.end_ms]
        assert len(running) <= places
    assert span_ms(laid) <= sum(durations)
    assert begins[:places] == [0] * min(places, len(durations))


def test_a_pause_of_the_users_own_code_counts() -> None:
    """What was declared after awaiting another node could not have begun before."""
    turns = [
        Turn(node="a", waits_for=(), ms=100),
        Turn(node="b", waits_for=(), ms=50, after=("a",), pause_ms=30),
    ]

    assert in_sequence(turns)["b"] == Stretch(130, 180)
