"""Counting tokens without a tokenizer: ranges that hold, and ratios by kind of text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.tokens import (
    IN_FLIGHT_MS,
    JSON,
    MARKDOWN,
    OTHER_SCRIPTS,
    PROSE,
    estimate_tokens,
    hidden_tokens,
    in_flight_tokens,
    usual_bytes_per_token,
)


@given(st.text(), st.none() | st.decimals(min_value="0.1", max_value=100, places=2))
def test_counts_are_ordered_and_bounded(text: str, ratio: Decimal | None) -> None:
    """Never more tokens than bytes, and none only where there is no text."""
    count = estimate_tokens(text, bytes_per_token=ratio)

    assert 0 <= count.low <= count.best <= count.high == len(text.encode())
    assert (count.best == 0) == (text == "")


def test_half_a_surrogate_pair_is_counted() -> None:
    """A stream may break off anywhere, and the count must not break with it."""
    assert estimate_tokens("a\ud83d").high == 4


@given(st.text(), st.text())
def test_more_text_is_not_fewer_bytes(text: str, more: str) -> None:
    """At one ratio the count only grows."""
    ratio = Decimal(4)

    grown = estimate_tokens(text + more, bytes_per_token=ratio)

    assert grown.best >= estimate_tokens(text, bytes_per_token=ratio).best


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("The invoice of the customer is late.", PROSE),
        ("Die Rechnung für Frau Müller ist verspätet.", PROSE),
        ('  {"id": 7}', JSON),
        ("\n[1, 2]", JSON),
        ("# Title\n\n- one\n- two\n", MARKDOWN),
        ("请在星期五之前把发票寄给客户。", OTHER_SCRIPTS),
        ("", PROSE),
    ],
)
def test_the_kind_of_text_decides_the_ratio(text: str, ratio: Decimal) -> None:
    """One cheap look tells the kinds apart."""
    assert usual_bytes_per_token(text) == ratio


@pytest.mark.parametrize(
    ("delivered", "ms", "expected"),
    [(0, 0, 0), (0, 5000, 0), (3, 10, 9), (100, 1000, 10), (50, 2000, 3)],
)
def test_tokens_in_flight_follow_the_streams_own_rate(
    delivered: int, ms: int, expected: int
) -> None:
    """For a tenth of a second; a young stream goes at the usual rate, a silent one at none."""
    assert IN_FLIGHT_MS == 100
    assert in_flight_tokens(delivered, ms) == expected


@pytest.mark.parametrize("model", ["sim-reasoning", "o3", "openai:o4-mini", "x-thinking"])
def test_a_reasoning_model_runs_up_a_bill_in_silence(model: str) -> None:
    """At the usual rate, for as long as it was waited for."""
    assert hidden_tokens(model, 2000) == 180
    assert hidden_tokens(model, 0) == 0


@pytest.mark.parametrize("model", ["sim-mid", "gpt-4o", "claude-sonnet-5-5"])
def test_other_models_hide_nothing_that_we_know_of(model: str) -> None:
    """Only the name can tell."""
    assert hidden_tokens(model, 2000) == 0
