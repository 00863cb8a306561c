"""Equivalence: better a wrong "different" than a wrong "same"."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forerun.speculation.equivalence import equivalent, same_fields
from forerun.speculation.text_gates import LONGEST, gates
from tests.speculation.equivalence_pairs import SAME, STOPPED, UNDECIDED


def tier(predicted: Any, actual: Any, *, highest: int = 3, structured: bool = False) -> int | None:
    """The tier of an equivalence, and the same both ways."""
    found = equivalent(predicted, actual, highest=highest, structured=structured).tier
    assert found == equivalent(actual, predicted, highest=highest, structured=structured).tier
    return found


def gate_is_open(predicted: str, actual: str) -> bool:
    """Whether no gate objects, and the same both ways."""
    is_open = gates(predicted, actual) is None
    assert is_open == (gates(actual, predicted) is None)
    return is_open


@pytest.mark.parametrize(
    ("predicted", "actual", "expected"), [pair[1:] for pair in SAME], ids=[pair[0] for pair in SAME]
)
def test_what_is_the_same(predicted: str, actual: str, expected: int) -> None:
    """Form is nothing: these are equal at this tier, at none below, and no gate objects."""
    assert tier(predicted, actual) == expected
    assert tier(predicted, actual, highest=expected) == expected
    assert expected == 1 or tier(predicted, actual, highest=1) is None
    assert gate_is_open(predicted, actual)


@pytest.mark.parametrize(
    ("predicted", "actual"), [pair[1:] for pair in STOPPED], ids=[pair[0] for pair in STOPPED]
)
def test_what_no_model_may_decide(predicted: str, actual: str) -> None:
    """One character or one word makes another statement: never the same, and a gate says why."""
    assert tier(predicted, actual) is None
    assert not equivalent(predicted, actual, highest=3, structured=False).undecided
    assert not gate_is_open(predicted, actual)


@pytest.mark.parametrize(
    ("predicted", "actual"), [pair[1:] for pair in UNDECIDED], ids=[pair[0] for pair in UNDECIDED]
)
def test_what_takes_a_model_to_decide(predicted: str, actual: str) -> None:
    """Different words, and nothing that a gate could object to: left open, where tier 3 is allowed."""
    assert tier(predicted, actual) is None
    for highest in (2, 3):
        found = equivalent(predicted, actual, highest=highest, structured=False)
        assert found.undecided == (highest == 3)
    assert gate_is_open(predicted, actual)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PROSE = (
    "the refund is due to our client and we pay it on friday der kunde hat eine le la de el Alice "
    "order lamp price"
)
FORMAL = (
    "$ € kg % am pm USD - + ( ) . , ' \" ` ``` ** # = { } [ ] : / @ _ ² ½ v1.10 1,000 12.500 "
    "2026-11-21 10:30 not no, the der la"
)
NEGATIONS = "not never no isn't n't without nicht kein nie pas jamais aucun sin nunca"
WORDS = st.lists(st.sampled_from(PROSE.split()), min_size=1, max_size=12)
TEXTS = st.lists(st.text(max_size=5) | st.sampled_from([*FORMAL.split(), " ", "\n", "    "])).map(
    "".join
)


@settings(deadline=None)
@given(JSON_VALUES, st.integers(1, 3), st.booleans())
def test_a_value_is_itself(value: Any, highest: int, structured: bool) -> None:
    """At tier 1, whatever is asked."""
    assert tier(value, value, highest=highest, structured=structured) == 1


@settings(deadline=None)
@given(JSON_VALUES, JSON_VALUES, st.integers(0, 3))
def test_what_is_not_free_text_is_never_compared_as_text(
    predicted: Any, actual: Any, highest: int
) -> None:
    """Nearly the right choice is the wrong one: structured outputs stop at tier 1."""
    assert tier(predicted, actual, highest=highest, structured=True) == tier(
        predicted, actual, highest=min(highest, 1)
    )


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_any_two_texts_compare_the_same_both_ways(predicted: str, actual: str) -> None:
    """Verdict and gate; and what is the same passes the gates."""
    if tier(predicted, actual, highest=2) is not None:
        assert gate_is_open(predicted, actual)
    else:
        gate_is_open(predicted, actual)


@settings(deadline=None)
@given(
    TEXTS,
    st.integers(0, 9),
    TEXTS,
    st.integers(1, 9),
)
def test_no_digit_can_change(before: str, digit: int, after: str, more: int) -> None:
    """Wherever it stands: in a number, an id, code, a quotation, a URL."""
    text = f"{before}{digit}{after}"
    changed = f"{before}{(digit + more) % 10}{after}"

    assert tier(text, changed) is None
    assert not gate_is_open(text, changed)


@settings(deadline=None)
@given(
    WORDS,
    st.integers(0, 12),
    st.sampled_from(NEGATIONS.split()),
)
def test_no_negation_can_be_put_in(words: list[str], at: int, negation: str) -> None:
    """In whatever language, at whatever place."""
    negated = [*words[:at], negation, *words[at:]]

    assert tier(" ".join(words), " ".join(negated)) is None
    assert not gate_is_open(" ".join(words), " ".join(negated))


@settings(deadline=None)
@given(WORDS, st.data())
def test_spacing_and_case_are_nothing(words: list[str], data: st.DataObject) -> None:
    """Of prose."""
    spaces = st.sampled_from([" ", "  ", "\n", "\t", "\u00a0"])
    spaced = "".join(word.upper() + data.draw(spaces) for word in words)

    assert tier(" ".join(words), spaced, highest=2) in (1, 2)


@pytest.mark.parametrize(
    ("consumed", "expected"),
    [
        (["/topic"], 0),
        (["/order/items/0", "/topic"], 0),
        (["/missing"], 0),
        (["/order/items/7", "/order/items/00", "/topic/0"], 0),
        (["/a~1b~0c"], 0),
        ([], 0),
        (["/score"], None),
        (["/order"], None),
        (["/order/items/1"], None),
        (["/topic", "/only here"], None),
        ([""], None),
        (None, None),
    ],
)
def test_only_consumed_fields_count(consumed: list[str] | None, expected: int | None) -> None:
    """Tier 0: what nobody reads may be anything; what both lack is the same."""
    predicted = {
        "topic": "billing", "score": 0.5, "order": {"items": [1, 2]}, "a/b~c": 1, "only here": 1,
    }  # fmt: skip
    actual = {"topic": "billing", "score": 0.75, "order": {"items": [1.0, 3]}, "a/b~c": 1.0}

    for highest in range(4):
        found = equivalent(predicted, actual, highest=highest, structured=True, consumed=consumed)
        assert found.tier == expected
        assert found.reason


@pytest.mark.parametrize(
    ("predicted", "actual"),
    [
        ("Delete *log* for us.", "Delete log for us."),
        ("Delete **/src/** for us.", "Delete /src/ for us."),
        ("# rm the folder", "rm the folder"),
        ("- the old line", "+ the old line"),
        ("__init__ is empty.", "init is empty."),
        ("The customers' cards", "The customers cards"),
        ("In Maßen trinken", "In Massen trinken"),
        ("We're late.", "Were late."),
    ],
)
def test_what_only_looks_like_formatting_stays(predicted: str, actual: str) -> None:
    """Patterns, comments, patches, names, apostrophes: not the same text."""
    assert tier(predicted, actual, highest=2) is None


def test_at_tier_0_alone_the_whole_value_counts() -> None:
    """Unless fewer fields are named."""
    assert tier({"a": 1}, {"a": 1.0}, highest=0) == 0
    assert tier({"a": 1}, {"a": 2}, highest=0) is None


def test_the_reason_names_what_differs() -> None:
    """Short, and for people."""
    found = equivalent("Pay 5 to us.", "Pay 6 to us.", highest=2, structured=False)
    long = equivalent(f"See {'x' * 99}_1", "See x_1", highest=2, structured=False)

    assert found.reason == "facts differ: '5' is '6'"
    assert len(long.reason) < 120


def test_long_texts_are_only_compared_exactly() -> None:
    """A workflow task has no time for them."""
    text = "word " * LONGEST

    assert tier(text, text) == 1
    assert tier(text, f"{text} ") is None
    assert not gate_is_open(text, f"{text} ")


@pytest.mark.parametrize("depth", [900, 5000])
def test_deep_json_is_different_json(depth: int) -> None:
    """Or the same, but no error."""
    deep, deeper = "[" * depth + "]" * depth, "[" * depth + " " + "]" * depth

    assert tier(deep, deeper) in (2, None)


def test_what_json_cannot_hold_is_refused() -> None:
    """Rather than called different."""
    with pytest.raises(ValueError, match="JSON number"):
        equivalent(float("nan"), 1, highest=1, structured=False)
    with pytest.raises(ValueError, match="not JSON"):
        same_fields({"a": object()}, {}, ["/b"])
