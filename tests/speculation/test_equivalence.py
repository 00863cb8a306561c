"""Equivalence: better a wrong "different" than a wrong "same"."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given
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
    assert predicted == "" or gate_is_open(predicted, actual)


@pytest.mark.parametrize(
    ("predicted", "actual"), [pair[1:] for pair in STOPPED], ids=[pair[0] for pair in STOPPED]
)
def test_what_no_model_may_decide(predicted: str, actual: str) -> None:
    """One character or one word makes another statement: never the same, and a gate says why."""
    assert tier(predicted, actual) is None
    assert not gate_is_open(predicted, actual)


@pytest.mark.parametrize(
    ("predicted", "actual"), [pair[1:] for pair in UNDECIDED], ids=[pair[0] for pair in UNDECIDED]
)
def test_what_takes_a_model_to_decide(predicted: str, actual: str) -> None:
    """Different words, and nothing that a gate could object to."""
    assert tier(predicted, actual) is None
    assert gate_is_open(predicted, actual)
