"""Tokens, lengths and made-up texts: what makes usage equal to what is delivered."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forerun.workers.standin.replies import limited, made_up, scripted
from forerun.workers.standin.tokenizer import count_tokens, tokenize

lengths = st.integers(min_value=1, max_value=60)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
).filter(lambda value: not isinstance(value, str))


@given(st.text())
def test_tokens_join_to_the_text(text: str) -> None:
    """Nothing is lost between the tokens."""
    assert "".join(tokenize(text)) == text


@given(st.text(), st.integers(min_value=0, max_value=50))
def test_a_cut_text_counts_as_its_tokens(text: str, cut: int) -> None:
    """A text cut after n tokens has n tokens."""
    tokens = tokenize(text)

    assert tokenize("".join(tokens[:cut])) == tokens[:cut]


def test_density() -> None:
    """English prose has about five bytes per token, JSON about half as many."""
    prose = (
        "We are sorry that the invoice you received last month shows the wrong total. A refund of "
        "24.90 euros will reach your account within five working days."
    )

    assert 4.5 < len(prose) / count_tokens(prose) < 5.5
    assert len('{"topic":"billing","id":4821}') / count_tokens('{"topic":"billing","id":4821}') > 2
    assert 4 < len("".join(made_up("any", 400))) / 400 < 6


@given(st.text() | values, lengths)
def test_scripted_length(reply: Any, length: int) -> None:
    """A scripted reply has its scripted length, whatever it is."""
    assert len(scripted(reply, length)) == length


@given(values, lengths)
def test_json_stays_json(value: Any, length: int) -> None:
    """Neither padding nor shortening changes the JSON value that is read."""
    assert json.loads("".join(scripted(value, length))) == value


@given(st.from_regex(r"[a-z_]{1,40}", fullmatch=True), lengths)
def test_a_choice_stays_the_choice(choice: str, length: int) -> None:
    """A one-word reply is the same word at every length, once trimmed."""
    assert "".join(scripted(choice, length)).strip() == choice


@given(st.text(), lengths)
def test_padding_counts_as_written(text: str, more: int) -> None:
    """The tokenizer finds in a padded text what is charged for it."""
    tokens = scripted(text, count_tokens(text) + more)

    assert count_tokens("".join(tokens)) == len(tokens)
    assert "".join(tokens).startswith(text)


def test_a_longer_text_is_cut() -> None:
    """Prose longer than its scripted length ends there; JSON text and single words do not."""
    assert "".join(scripted("Dear customer, we are sorry", 3)) == "Dear customer,"
    assert "".join(scripted('{"a": 1, "b": [2, 3]}', 3)) == '{"a": 1, "b": [2, 3]}'


@given(st.text(), lengths)
def test_made_up(prompt: str, length: int) -> None:
    """A made-up reply is the same for the same prompt and as long as asked for."""
    assert made_up(prompt, length) == made_up(prompt, length)
    assert len(made_up(prompt, length)) == length
    assert made_up(prompt, None) != made_up(prompt + "x", None)
    assert 40 <= len(made_up(prompt, None)) <= 160


@given(lengths, st.integers(min_value=0, max_value=100), st.none() | lengths)
def test_the_maximum_holds(count: int, hidden: int, maximum: int | None) -> None:
    """Visible and hidden tokens together never exceed the maximum, and a cut is admitted."""
    reply = limited(("x",) * count, hidden, maximum)

    assert maximum is None or reply.output_tokens <= maximum
    assert reply.cut_at_maximum == (len(reply.tokens) < count)
    assert reply.tokens or maximum == 0
