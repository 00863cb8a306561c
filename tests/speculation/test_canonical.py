"""Canonical JSON: one spelling, bounded depth, and errors that quote nothing."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from forerun.speculation.canonical import MAX_DEPTH, canonical, canonical_json, digest

ANYTHING = TypeAdapter[Any](Any)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def nested(levels: int) -> Any:
    """Lists in lists."""
    return reduce(lambda inner, _: [inner], range(levels), 1)


@given(JSON)
def test_canonical_json_is_one_spelling(value: Any) -> None:
    """What is canonical stays as it is, and its text says nothing else than it does."""
    once = canonical(value)

    assert canonical(once) == once
    assert ANYTHING.validate_json(canonical_json(value)) == once
    assert digest(once) == digest(value)


def test_what_is_nested_deeper_than_others_read_is_refused() -> None:
    """In lists, in objects, and without a recursion error however deep; the deepest is readable."""
    deepest = canonical(nested(MAX_DEPTH))

    assert ANYTHING.validate_json(json.dumps({"output": [deepest]}))
    for too_deep in (nested(MAX_DEPTH + 1), nested(100_000), {"a": {"b": nested(MAX_DEPTH)}}):
        with pytest.raises(ValueError, match="in more than 100 levels"):
            canonical(too_deep)


@pytest.mark.parametrize("value", [b"hunter2", {"a": [{"hunter2"}]}, {("hunter2",): 1}])
def test_errors_quote_no_value(value: Any) -> None:
    """What is no JSON may be anything, a client with its password too."""
    with pytest.raises(ValueError, match="of type") as caught:
        canonical(value)

    assert "hunter2" not in str(caught.value)
