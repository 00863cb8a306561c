"""Whatever comes in as a spec, nothing but a `SpecError` comes out."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from forerun.workflows.spec import SpecError, parse_spec
from tests.workflows.specs import AUTO_REPLY

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a JSON value."""
    found = [path] if path else []
    whole: Any = value
    if isinstance(value, dict | list):
        for key in whole if isinstance(value, dict) else range(len(whole)):
            found += places(whole[key], (*path, key))
    return found


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_any_json_is_parsed_or_refused(raw: Any) -> None:
    """By a `SpecError`, and by nothing else."""
    with suppress(SpecError):
        parse_spec(raw)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(places(AUTO_REPLY)),
    JSON | st.sampled_from(["{{ draft }}", "x" * 90]),
    st.booleans(),
)
def test_a_spec_with_anything_anywhere_is_parsed_or_refused(
    place: tuple[Any, ...], value: Any, as_key: bool
) -> None:
    """The refusal is one line whose path leads to a place that exists, or is missing."""
    raw = copy.deepcopy(AUTO_REPLY)
    owner: Any = raw
    for key in place[:-1]:
        owner = owner[key]
    if as_key and isinstance(place[-1], str):
        owner[str(value)] = owner.pop(place[-1])
    else:
        owner[place[-1]] = value
    try:
        parsed = parse_spec(raw)
    except SpecError as error:
        refused = str(error)
    else:
        refused = "; fix: "
        assert json.dumps(parsed.model_dump(mode="json", by_alias=True))

    assert "\n" not in refused
    assert "; fix: " in refused
