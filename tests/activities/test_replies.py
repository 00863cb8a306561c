"""Replies: what the model is told, and what its answer is taken for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.activities.replies import (
    InvalidReply,
    UnusableSchema,
    output_bytes,
    parse_reply,
    system_text,
)
from forerun.speculation.canonical import canonical

SCHEMA = {
    "type": "object",
    "properties": {"order": {"$ref": "#/$defs/order"}},
    "required": ["order"],
    "$defs": {"order": {"type": "object", "required": ["id"]}},
}


def test_nothing_is_added_where_nothing_is_asked_for() -> None:
    """The author's system text stands alone, or there is none."""
    assert system_text("Be brief.", None, None) == "Be brief."
    assert system_text(None, None, None) is None
    assert system_text("", None, None) is None


def test_choices_are_listed_as_they_are_spelled() -> None:
    """One per line, in the author's order, after the author's own words."""
    text = system_text("Be brief.", ("sales", "billing issue"), None)

    assert text is not None
    assert text.startswith("Be brief.\n\n")
    assert text.endswith("\nsales\nbilling issue")


def test_a_schema_is_told_in_one_spelling() -> None:
    """Two spellings of the same schema are one request."""
    one: dict[str, Any] = {"type": "object", "minProperties": 1.0}
    other: dict[str, Any] = {"minProperties": 1, "type": "object"}

    assert system_text(None, None, one) == system_text(None, None, other)


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, unique=True), st.data())
def test_every_choice_can_be_chosen(choices: list[str], data: st.DataObject) -> None:
    """Repeating a choice, with white space around it, yields that choice."""
    choice = data.draw(st.sampled_from(choices))

    output = parse_reply(f"\n {choice}\t\n", choices, None)

    assert canonical(output).strip() == canonical(choice).strip()


@given(st.text())
def test_free_text_is_taken_as_it_is(text: str) -> None:
    """Only its spelling is made canonical."""
    assert parse_reply(text, None, None) == canonical(text)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(values)
def test_any_json_value_passes_the_empty_schema(value: Any) -> None:
    """What comes out is the canonical value."""
    assert parse_reply(json.dumps(value), None, {}) == canonical(value)


@pytest.mark.parametrize(
    "reply",
    ["", "{", "Infinity", "NaN", "```json\n{}\n```", '{"a": 1} {"b": 2}', "[" * 100_000, "1e999"],
)
def test_what_is_not_json_is_invalid(reply: str) -> None:
    """Nothing is repaired, and nothing breaks on it."""
    with pytest.raises(InvalidReply):
        parse_reply(reply, None, {})


def test_an_invalid_reply_is_described_and_not_quoted() -> None:
    """It may repeat the prompt: only the rule it breaks is named."""
    with pytest.raises(InvalidReply) as broken:
        parse_reply('{"order": {"secret": "Marple"}}', None, SCHEMA)

    assert "required" in str(broken.value)
    assert "Marple" not in str(broken.value)
    assert "secret" not in str(broken.value)


def test_half_a_surrogate_pair_is_invalid() -> None:
    """JSON can spell it, but no payload can hold it."""
    output = parse_reply('"\\ud800"', None, {})

    with pytest.raises(InvalidReply):
        output_bytes(output)


@pytest.mark.parametrize(
    "schema", [{"type": "thing"}, {"$ref": "#/$defs/none"}, {"$ref": "https://192.0.2.1/schema"}]
)
def test_an_unusable_schema_is_the_authors_fault(schema: dict[str, Any]) -> None:
    """It is told apart from a bad reply, and a foreign reference is not fetched."""
    with pytest.raises(UnusableSchema):
        parse_reply('{"a": 1}', None, schema)
