"""Places on a page: in order, within it, and true to scale but for what is folded."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from forerun.workers.report.figures import UNKNOWN, apart, exact_usd, places_of, seconds, usd
from forerun.workers.report.scale import FOLDED_SHARE, TICKS, scale_of

stretches = st.lists(
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**6)).map(lambda it: (it[0], it[0] + it[1])),
    max_size=8,
)
amounts = st.decimals(-1000, 1000, places=12)


@given(stretches, st.integers(0, 10**7), st.floats(0, 10**7))
def test_places_are_in_the_order_of_time(
    busy: list[tuple[int, int]], end_ms: int, at_least_ms: float
) -> None:
    """From 0 to 1, whatever is folded; and what ran is always to scale."""
    scale = scale_of(busy, end_ms, at_least_ms)
    times = sorted({0, end_ms, *(edge for stretch in busy for edge in stretch)})

    places = [scale.place(ms) for ms in times]

    assert places == sorted(places)
    assert all(0 <= place <= 1 + 1e-9 for place in places)
    for begin, end in busy:
        width = scale.place(end) - scale.place(begin)
        assert abs(width * scale.shown_ms - (end - begin)) < 1e-3 * max(scale.shown_ms, 1)


@given(stretches, st.integers(0, 10**7), st.floats(0, 10**7))
def test_only_idle_time_is_folded(
    busy: list[tuple[int, int]], end_ms: int, at_least_ms: float
) -> None:
    """No call lies within a fold; a fold says how long it is, and has room on any axis to do so."""
    scale = scale_of(busy, end_ms, at_least_ms)

    for piece in scale.pieces:
        if piece.folded:
            assert piece.shown_ms >= FOLDED_SHARE * at_least_ms
            assert not any(begin < piece.end_ms and end > piece.begin_ms for begin, end in busy)
    assert len(scale.folds) == sum(piece.folded for piece in scale.pieces)
    assert len(scale.ticks) <= 2 * TICKS + len(scale.pieces)


@given(amounts)
def test_dollars_are_rounded_and_never_made_up(amount: Decimal) -> None:
    """The exact form has every digit, the short one is near it, and unknown is no number."""
    assert _read(exact_usd(amount)) == amount
    assert abs(_read(usd(amount)) - amount) <= Decimal("0.0000005")
    assert usd(None) == exact_usd(None) == seconds(None) == UNKNOWN


@given(amounts, amounts)
def test_unlike_amounts_look_unlike(one: Decimal, other: Decimal) -> None:
    """With as many places as that takes; in a column, all places of all of them."""
    places = apart(one, other)
    assert (one == other) == (usd(one, places) == usd(other, places))
    assert Decimal(f"{one:.{places_of([one, other])}f}") == one


def _read(dollars: str) -> Decimal:
    return Decimal(dollars.replace("$", "").replace("−", "-"))
