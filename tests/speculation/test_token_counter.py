"""Learning to count: from calls that finished, for those that did not."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.token_counter import ENOUGH_CALLS, KEPT_CALLS, TokenCounter
from forerun.speculation.tokens import FRAMING_TOKENS, TextKind
from forerun.workers.standin.tokenizer import tokenize
from tests.corpora import KINDS

PROSE = "The invoice of the customer is late, and nobody knows why it was never paid."


def taught(times: int, *, pieces: int, tokens: int, text: str = PROSE) -> TokenCounter:
    """A counter that has seen the same answer so many times."""
    counter = TokenCounter("sim-mid")
    for _ in range(times):
        counter.learn_output(text, pieces, tokens)
    return counter


def in_pieces(text: str, most: int, rng: random.Random) -> list[str]:
    """`text` as a vendor sends it that puts up to `most` tokens into a piece."""
    tokens, pieces = list(tokenize(text)), list[str]()
    while tokens:
        size = rng.randint(1, most)
        pieces.append("".join(tokens[:size]))
        del tokens[:size]
    return pieces


@given(
    st.lists(st.tuples(st.text(), st.integers(-5, 500), st.integers(-5, 5000))),
    st.text(),
    st.integers(0, 500),
)
def test_counts_are_ordered_whatever_was_learned(
    lessons: list[tuple[str, int, int]], text: str, pieces: int
) -> None:
    """Low <= best <= high; what was learned moves best alone."""
    fresh, counter = TokenCounter("sim-mid"), TokenCounter("sim-mid")
    for lesson, parts, tokens in lessons:
        counter.learn_output(lesson, parts, tokens)
        counter.learn_input(lesson, tokens)

    leaving, entering = counter.output(text, pieces), counter.input(text)

    assert leaving.low <= leaving.best <= leaving.high
    assert entering.low <= entering.best <= entering.high
    assert (leaving.low, leaving.high) == (pieces, fresh.output(text, pieces).high)
    assert entering.high == len(text.encode()) + FRAMING_TOKENS == fresh.input(text).high
    assert entering.low == fresh.input(text).low


def test_few_calls_are_not_believed() -> None:
    """Three say something, two do not."""
    few, enough = (
        taught(times, pieces=10, tokens=40) for times in (ENOUGH_CALLS - 1, ENOUGH_CALLS)
    )

    assert few.output(PROSE, 10) == TokenCounter("sim-mid").output(PROSE, 10)
    assert enough.output(PROSE, 10).best == 40


def test_one_odd_call_changes_nothing() -> None:
    """The median does not hear it."""
    counter = taught(5, pieces=10, tokens=20)
    before = counter.output(PROSE, 10)

    counter.learn_output(PROSE, 10, 70)

    assert counter.output(PROSE, 10) == before


def test_short_answers_do_not_outvote_long_ones() -> None:
    """Twenty bare choices say little about a page of text."""
    counter = taught(3, pieces=1, tokens=100, text=PROSE * 8)
    for _ in range(20):
        counter.learn_output("billing", 1, 6)

    assert counter.output(PROSE * 4, 1).best == 50


def test_an_old_tokenizer_is_forgotten() -> None:
    """Only the last calls count."""
    counter = taught(100, pieces=10, tokens=20)
    for _ in range(KEPT_CALLS):
        counter.learn_output(PROSE, 10, 40)

    assert counter.output(PROSE, 10).best == 40


@pytest.mark.parametrize("tokens", [0, 9, len(PROSE) + 1])
def test_what_cannot_be_the_count_of_the_text_teaches_nothing(tokens: int) -> None:
    """Fewer tokens than pieces, or more than bytes."""
    counter = taught(10, pieces=10, tokens=tokens)

    assert counter.output(PROSE, 10) == TokenCounter("sim-mid").output(PROSE, 10)


def test_a_model_that_hides_tokens_is_not_learned_from() -> None:
    """Its record counts what was never sent; that is counted by the clock instead."""
    counter = TokenCounter("openai:o3")
    for _ in range(5):
        counter.learn_output(PROSE, 10, 40)

    assert counter.output(PROSE, 10) == TokenCounter("sim-mid").output(PROSE, 10)
    assert counter.hidden(2000) == 180
    assert TokenCounter("sim-mid").hidden(2000) == 0


def test_kinds_of_text_are_learned_apart() -> None:
    """What JSON has taught says nothing of prose."""
    counter = taught(5, pieces=1, tokens=20, text='{"id": 7, "name": "x", "open": true}')
    for _ in range(5):
        counter.learn_input('{"id": 7}', 9)

    assert counter.input(PROSE) == TokenCounter("sim-mid").input(PROSE)
    assert counter.input('{"id": 7}').best == 9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most", [1, 3, 12], ids=["token", "few", "many"])
def test_twenty_calls_calibrate(kind: str, most: int) -> None:
    """Whole answers teach the beginnings of others, by bytes where pieces tell nothing.

    Exact where each token is a piece of its own; else the first sentences of an answer may be of
    longer words than usual, and only most counts are close.
    """
    rng, counter = random.Random(f"{kind} {most}"), TokenCounter("sim-mid")
    for number in range(20):
        text = KINDS[kind](number)
        counter.learn_output(text, len(in_pieces(text, most, rng)), len(tokenize(text)))

    errors: list[float] = []
    for number in range(100, 120):
        pieces = in_pieces(KINDS[kind](number), most, rng)
        for end, text in enumerate(accumulate(pieces), start=1):
            true, count = len(tokenize(text)), counter.output(text, end)
            assert count.low <= true <= count.high
            if true >= 100:
                errors.append(abs(count.best / true - 1))
    errors.sort()

    if most == 1:
        assert errors[-1] == 0
    assert errors[len(errors) * 9 // 10] < (0.05 if kind == TextKind.PROSE else 0.15)
