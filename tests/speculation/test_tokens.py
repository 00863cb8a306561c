"""Counting tokens without a tokenizer: ranges that hold, and ratios by kind of text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.tokens import (
    IN_FLIGHT_MS,
    TextKind,
    estimate_tokens,
    hides_tokens,
    in_flight_tokens,
    kind_of,
)
from tests.corpora import KINDS


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
    ("text", "kind"),
    [
        ("The invoice of the customer is late.", TextKind.PROSE),
        ("Die Rechnung für Frau Müller ist verspätet.", TextKind.PROSE),
        ("Dear Ms Marple,\n\n" + "we wait for your payment. " * 4 + "(May)", TextKind.PROSE),
        ('  {"id": 7}', TextKind.JSON),
        ("\n[1, 2]", TextKind.JSON),
        ("# Title\n\n- one\n- two\n", TextKind.MARKDOWN),
        ("def double(x: int) -> int:\n    return 2 * x\n", TextKind.CODE),
        ("请在星期五之前把发票寄给客户。", TextKind.OTHER_SCRIPTS),
        ("", TextKind.PROSE),
    ],
)
def test_one_cheap_look_tells_the_kinds_apart(text: str, kind: TextKind) -> None:
    """By how a text begins, and by its signs."""
    assert kind_of(text) is kind


@pytest.mark.parametrize("name", KINDS)
def test_a_text_is_of_the_kind_of_its_beginning(name: str) -> None:
    """What whole answers have taught is applied to the beginnings of cut ones."""
    for number in range(20):
        text = KINDS[name](number)
        assert kind_of(text[: len(text) // 2]) is kind_of(text) is TextKind(name)


@given(st.text(), st.decimals(min_value="0.1", max_value=100, places=2))
def test_a_measured_ratio_leaves_the_bounds_alone(text: str, ratio: Decimal) -> None:
    """It may have been measured on other texts than this one."""
    measured, usual = estimate_tokens(text, bytes_per_token=ratio), estimate_tokens(text)

    assert (measured.low, measured.high) == (usual.low, usual.high)


@pytest.mark.parametrize(
    ("delivered", "ms", "expected"),
    [(0, 0, 0), (0, 5000, 0), (3, 10, 2), (100, 1000, 3), (50, 2000, 1)],
)
def test_tokens_in_flight_follow_the_streams_own_rate(
    delivered: int, ms: int, expected: int
) -> None:
    """For one round trip; a young stream goes at the usual rate, a silent one at none."""
    assert IN_FLIGHT_MS == 30
    assert in_flight_tokens(delivered, ms) == expected


@pytest.mark.parametrize("model", ["sim-reasoning", "o3", "openai:o4-mini", "x-thinking"])
def test_a_reasoning_model_says_so_in_its_name(model: str) -> None:
    """It bills what it does not send."""
    assert hides_tokens(model)


@pytest.mark.parametrize("model", ["sim-mid", "openai:gpt-4o", "claude-sonnet-5-5"])
def test_other_models_hide_nothing_that_we_know_of(model: str) -> None:
    """Only the name can tell."""
    assert not hides_tokens(model)
