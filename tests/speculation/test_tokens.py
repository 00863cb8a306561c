"""Counting tokens without a tokenizer: ranges that hold, whatever a text is made of."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.tokens import (
    USUAL_WEIGHTS,
    Makeup,
    estimate_tokens,
    hides_tokens,
    in_flight_tokens,
    makeup_of,
)
from tests.corpora import KINDS

weights = st.tuples(*[st.decimals(min_value=-2, max_value=5, places=2)] * len(USUAL_WEIGHTS))


@given(st.text(), weights)
def test_counts_are_ordered_and_bounded(text: str, measured: tuple[Decimal, ...]) -> None:
    """Never more tokens than bytes, and none only where there is no text."""
    count = estimate_tokens(makeup_of(text), measured)

    assert 0 <= count.low <= count.best <= count.high == len(text.encode())
    assert (count.best == 0) == (text == "")


@given(st.text(), weights)
def test_measured_weights_leave_the_bounds_alone(text: str, measured: tuple[Decimal, ...]) -> None:
    """They may have been measured on other texts than this one."""
    count, usual = estimate_tokens(makeup_of(text), measured), estimate_tokens(makeup_of(text))

    assert (count.low, count.high) == (usual.low, usual.high)


@given(st.text(), st.text())
def test_makeups_add_up(text: str, more: str) -> None:
    """So a stream is counted piece by piece; and more text is not fewer tokens."""
    whole = makeup_of(text + more)

    assert makeup_of(text) + makeup_of(more) == whole
    assert whole.size == len((text + more).encode())
    assert estimate_tokens(whole).best >= estimate_tokens(makeup_of(text)).best


def test_what_a_text_is_made_of() -> None:
    """Other scripts count by their bytes, as letters."""
    assert makeup_of('{"id": 70}\n') == Makeup(letters=2, signs=5, digits=2, blanks=2)
    assert makeup_of("Müller…") == Makeup(letters=10)
    assert makeup_of("snake_case") == Makeup(letters=9, signs=1)


def test_half_a_surrogate_pair_is_counted() -> None:
    """A stream may break off anywhere, and the count must not break with it."""
    assert makeup_of("a\ud83d").size == 4


@pytest.mark.parametrize(
    ("text", "bytes_per_token"),
    [
        ("".join(KINDS["prose"](number) for number in range(20)), "5.1"),
        ("".join(KINDS["code"](number) for number in range(20)), "4.9"),
        ("请在星期五之前把发票寄给客户。", "4.7"),
        ("# Late\n\nThree of them:\n\n- the **invoice** of May\n- the parcel (see `x`)\n", "4.0"),
        ('{"id":7,"paid":false,"items":[{"sku":"A-1","count":2}]}', "2.4"),
    ],
    ids=["prose", "code", "chinese", "markdown", "json"],
)
def test_unmeasured_counts_are_near_a_large_vocabularys(text: str, bytes_per_token: str) -> None:
    """Within a quarter of what was measured on one of 200,000 entries."""
    makeup = makeup_of(text)

    best = estimate_tokens(makeup).best

    assert abs(best * Decimal(bytes_per_token) / makeup.size - 1) < Decimal("0.25")


@pytest.mark.parametrize(
    ("delivered", "ms", "expected"),
    [(0, 0, 0), (0, 5000, 0), (3, 10, 9), (100, 1000, 10), (50, 2000, 3)],
)
def test_tokens_in_flight_follow_the_streams_own_rate(
    delivered: int, ms: int, expected: int
) -> None:
    """A young stream goes at the usual rate, a silent one at none; nothing is far away at 0 ms."""
    assert in_flight_tokens(delivered, ms, 100) == expected
    assert in_flight_tokens(delivered, ms, 0) == 0


@pytest.mark.parametrize("model", ["sim-reasoning", "o3", "openai:o4-mini", "x-thinking"])
def test_a_reasoning_model_says_so_in_its_name(model: str) -> None:
    """It bills what it does not send."""
    assert hides_tokens(model)


@pytest.mark.parametrize("model", ["sim-mid", "openai:gpt-4o", "claude-sonnet-5-5"])
def test_other_models_hide_nothing_that_we_know_of(model: str) -> None:
    """Only the name can tell."""
    assert not hides_tokens(model)
