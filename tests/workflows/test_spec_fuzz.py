"""Whatever comes in as a spec, nothing but a `SpecError` comes out."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any, cast

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


RICH: dict[str, Any] = {
    **AUTO_REPLY,
    "policy": {**AUTO_REPLY["policy"], "p_bound": 0.9},
    "nodes": {
        **AUTO_REPLY["nodes"],
        "plan": {
            "model": "openai:sim-mid",
            "prompt": "{% for x in input.xs if x %}{{ loop.index }} {{ x | upper }}{% endfor %}",
            "system": "{{ classify }}",
            "schema": {"type": "object", "properties": {"steps": {"type": "array"}}},
            "guess": [
                {"from": "value", "value": {"steps": ["a"]}, "p": "0.3"},
                {"from": "stream", "field": "steps"},
                {"from": "model", "model": "openai:sim-small", "k": 2},
            ],
            "estimate": {"seconds": 2, "input_tokens": 10, "output_tokens": 20},
            "temperature": 0.5,
            "speculate": True,
        },
        "work": {
            "tool": "echo",
            "for_each": "{{ plan.steps }}",
            "concurrency": 2,
            "args": {"value": {"item": "{{ item }}", "at": ["{{ index }}"]}},
            "when": "{{ index < 3 }}",
            "retries": 1,
            "timeout_seconds": 5,
        },
        "check": {
            "model": "anthropic:sim-mid",
            "prompt": "{{ draft }}",
            "equivalence": 2,
            "guess": [{"from": "node", "node": "draft", "p": 0.5}],
        },
        "note": {
            "effect": "drafts.put",
            "args": {"title": "{{ check }}", "body": "{{ work | length }}"},
            "approval_timeout_seconds": 60,
        },
    },
}
HOSTILE: list[Any] = [
    *("{{ draft }}", "{{ zzz }}", "{{ item }}", "{% for a in b %}", "{{ 1 +", "{{ [[[[ }}"),
    *("{{ ''.__class__ }}", "{{ input | attr('x') }}", "{{ 9 ** 9 }}", "{{ note }}", "{# #}"),
    *("x" * 90, "\ud800", "\x00", "\u202e", "draft", "classify", "outbox.put", "openai:"),
    *(10**400, -(10**30), 1e308, float("nan"), float("inf"), "1e999999999", "-0", "NaN"),
    *([[[[[[[[]]]]]]]], {"from": "value"}, {"$ref": "#"}, {"type": "zzz"}, {"pattern": "("}),
]


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


def put(raw: Any, place: tuple[Any, ...], value: Any, *, as_key: bool) -> None:
    """Put a value, or a key, in the place of another, if that is still there."""
    owner: Any = raw
    for key in place[:-1]:
        with suppress(KeyError, IndexError, TypeError):
            owner = owner[key]
    kind = cast("type[Any]", type(owner))  # narrowed to `dict` its keys would be unknown
    if as_key and kind is dict and place[-1] in owner:
        owner[str(value)] = owner.pop(place[-1])
    elif kind is dict:
        owner[place[-1]] = value
    elif kind is list:
        owner.append(value)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(places(RICH)), JSON | st.sampled_from(HOSTILE), st.booleans()),
        min_size=1,
        max_size=3,
    )
)
def test_a_spec_with_anything_anywhere_is_parsed_or_refused(
    changes: list[tuple[tuple[Any, ...], Any, bool]],
) -> None:
    """The refusal is one short line with a path and a fix, whatever three things are wrong."""
    raw = copy.deepcopy(RICH)
    for place, value, as_key in changes:
        put(raw, place, value, as_key=as_key)
    try:
        parsed = parse_spec(raw)
    except SpecError as error:
        refused = str(error)
    else:
        refused = "; fix: "
        assert json.dumps(parsed.model_dump(mode="json", by_alias=True))

    assert "\n" not in refused
    assert "; fix: " in refused
    assert len(refused) < 2_000


def test_what_is_changed_is_sound_before_it_is_changed() -> None:
    """Or nothing behind the first check would ever be reached."""
    assert parse_spec(RICH).nodes.keys() == RICH["nodes"].keys()
