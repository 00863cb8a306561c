"""What is certain of a reply that still streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.activities.partial_reply import (
    MAX_PARTIAL_BYTES,
    PartialChoice,
    PartialObject,
    PartialReply,
    partial_reply,
)
from forerun.activities.replies import InvalidReply, parse_reply
from forerun.speculation.canonical import canonical

BLANK = st.text("\n \t", max_size=2)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab\\"{}[],: é\u0301/\n'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('a"}, ', max_size=3), inner)
    ),
    max_leaves=6,
)
objects = st.dictionaries(st.text('ab\\"},é ', max_size=3).map(canonical), values, max_size=5)


@st.composite
def written(draw: st.DrawFn) -> tuple[dict[str, Any], str, list[int]]:
    """An object, a text of it, and after how many characters each of its fields is whole."""
    fields = draw(objects)
    ascii, pad = draw(st.booleans()), lambda: draw(BLANK)
    text, whole = pad() + "{" + pad(), list[int]()
    for index, (name, value) in enumerate(fields.items()):
        text += json.dumps(name, ensure_ascii=ascii) + pad() + ":" + pad()
        text += json.dumps(value, ensure_ascii=ascii) + pad()
        text += "," if index < len(fields) - 1 else "}"
        whole.append(len(text))
        text += pad()
    return canonical(fields), text if fields else text + "}", whole


def told(partial: PartialReply, text: str) -> Iterator[Any]:
    """What is certain after each character."""
    for character in text:
        partial.read(character)
        yield partial.certain()


class TestObjects:
    @given(written())
    def test_a_field_is_certain_from_its_comma_or_the_brace_on(
        self, it: tuple[dict[str, Any], str, list[int]]
    ) -> None:
        """Neither sooner nor later, and as it is in the whole reply."""
        fields, text, whole = it
        names = list(fields)

        for length, value in enumerate(told(PartialObject(), text), start=1):
            count = sum(end <= length for end in whole)
            assert value == ({name: fields[name] for name in names[:count]} or None)
            assert value is None or canonical(value) == value

        assert parse_reply(text, None, {}) == fields

    @given(written(), st.data())
    def test_with_a_field_the_value_never_changes(
        self, it: tuple[dict[str, Any], str, list[int]], data: st.DataObject
    ) -> None:
        """Nothing before that field is whole; from then on all that stands up to it."""
        fields, text, _ = it
        names = list(fields)
        field = data.draw(st.sampled_from([*names, "missing"]))
        up_to = {
            name: fields[name] for name in names[: names.index(field) + 1 if field in fields else 0]
        }

        seen = [value for value in told(PartialObject(field), text) if value is not None]

        assert all(value == up_to for value in seen)
        assert bool(seen) == (field in fields)

    @given(written(), st.data())
    def test_how_the_text_is_cut_into_pieces_makes_no_difference(
        self, it: tuple[dict[str, Any], str, list[int]], data: st.DataObject
    ) -> None:
        """And a piece that makes something certain says so."""
        _, text, _ = it
        one, other = PartialObject(), PartialObject()
        at = 0
        while at < len(text):
            size = data.draw(st.integers(1, 10))
            before = one.certain()
            grown = one.read(text[at : at + size])
            for _ in told(other, text[at : at + size]):
                pass
            assert one.certain() == other.certain()
            assert grown or one.certain() == before
            at += size

    @given(st.text('{}[]",:\\ab1 ', max_size=40))
    def test_text_that_is_no_json_breaks_nothing(self, text: str) -> None:
        """If anything is certain, then the rest may still make a valid reply of it."""
        for length, value in enumerate(told(PartialObject(), text), start=1):
            if value is not None:
                assert text[:length].lstrip().startswith("{")
        try:
            whole = parse_reply(text, None, {})
        except InvalidReply:
            return
        final = PartialObject()
        final.read(text)
        assert final.certain() == (whole if isinstance(whole, dict) and whole else None)

    def test_a_repeated_key_is_read_as_in_a_whole_reply(self) -> None:
        """The last one counts, so the value changes: the one way for it to."""
        seen = list(dict.fromkeys(map(str, told(PartialObject(), '{"a": 1, "b": 2, "a": 34}'))))

        assert seen == ["None", "{'a': 1}", "{'a': 1, 'b': 2}", "{'a': 34, 'b': 2}"]

    @pytest.mark.parametrize(
        "text",
        [
            '{"a": NaN, "b": 1}',
            '{"a": 1e999, "b": 1}',
            '{"a": "\\ud800", "b": 1}',
            '{"a": ' + "[" * 100_000 + "]" * 100_000 + ', "b": 1}',
            '{"a": "' + "x" * MAX_PARTIAL_BYTES + '", "b": 1}',
            '{"a": "' + "é" * (MAX_PARTIAL_BYTES // 2) + '", "b": 1}',
            '[{"a": 1}, 2, 3]',
            '"a, b}"',
            "{}",
        ],
    )
    def test_what_cannot_be_passed_on_is_never_certain(self, text: str) -> None:
        """No JSON, too large, or nothing at all to go by."""
        partial = PartialObject()
        for start in range(0, len(text), 1000):
            partial.read(text[start : start + 1000])
            assert partial.certain() is None


class TestChoices:
    @given(
        st.lists(st.text("ab e\u0301é", min_size=1, max_size=4), min_size=1, max_size=5),
        BLANK,
        BLANK,
        st.data(),
    )
    def test_the_choice_is_certain_once_no_other_can_come_of_it(
        self, drawn: list[str], before: str, after: str, data: st.DataObject
    ) -> None:
        """It is the reply's choice, and it stays."""
        choices = list({canonical(choice).strip(): None for choice in drawn if choice.strip()})
        if not choices:
            return
        choice = data.draw(st.sampled_from(choices))
        text = before + choice + after

        seen = list(told(PartialChoice(choices), text))

        first = next((i for i, value in enumerate(seen) if value is not None), len(seen))
        assert all(value is None for value in seen[:first])
        assert all(value == parse_reply(text, choices, None) for value in seen[first:])

    @pytest.mark.parametrize(
        ("choices", "reply", "needed"),
        [
            (("billing", "bug", "sales"), "billing", "bi"),
            (("billing", "bug", "sales"), "sales", "s"),
            (("bill", "billing"), "billing", "billi"),
            (("bill", "billing"), "bill\n", "bill\n"),
            (("bill", "bill now", "bug"), "bill now", "bill n"),
            (("e", "\u00e9a"), "e\u0301a", "e\u0301a"),
            (("only",), "only", "o"),
            (("B", "b"), "b", "b"),
        ],
    )
    def test_examples(self, choices: tuple[str, ...], reply: str, needed: str) -> None:
        """The shortest beginning that leaves one choice, and one that others begin with."""
        seen = list(told(PartialChoice(choices), f"\n {reply}"))

        assert seen.index(canonical(reply.strip())) + 1 == len(f"\n {needed}")

    def test_the_whole_reply_may_not_be_enough(self) -> None:
        """`bill` may become `billing` until it has ended: that only the end of the call tells."""
        assert list(told(PartialChoice(("bill", "billing")), "bill")) == [None] * 4

    def test_what_is_no_choice_leaves_none(self) -> None:
        """Also where it begins like one in other letters."""
        assert set(told(PartialChoice(("billing", "bug")), "Billing it is")) == {None}
        assert set(told(PartialChoice(("billing", "bug")), "nothing")) == {None}


def test_free_text_is_never_certain() -> None:
    """Only choices and objects have parts that are whole before the end."""
    assert partial_reply(None, None, None) is None
    assert isinstance(partial_reply(("a", "b"), None, None), PartialChoice)
    assert isinstance(partial_reply(None, {}, None), PartialObject)
