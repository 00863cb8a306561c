"""Learning to count: from calls that finished, for those that did not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.token_counter import ENOUGH_CALLS, KEPT_CALLS, TokenCounter
from forerun.speculation.tokens import FRAMING_TOKENS, Makeup, makeup_of
from forerun.workers.standin.tokenizer import count_tokens, tokenize
from tests.corpora import KINDS

PROSE = makeup_of("The invoice of the customer is late, and nobody knows why it was never paid.")
FRESH = TokenCounter("sim-mid")
LATER = range(100, 120)


def taught(times: int, *, pieces: int, tokens: int, model: str = "sim-mid") -> TokenCounter:
    """A counter that has seen the same answer so many times."""
    counter = TokenCounter(model)
    for _ in range(times):
        counter.learn_output(PROSE, pieces, tokens)
    return counter


def in_pieces(text: str, most: int, rng: random.Random) -> list[str]:
    """`text` as a vendor sends it that puts up to `most` tokens into a piece."""
    tokens, pieces = list(tokenize(text)), list[str]()
    while tokens:
        size = rng.randint(1, most)
        pieces.append("".join(tokens[:size]))
        del tokens[:size]
    return pieces


def mixed(number: int) -> str:
    """A prompt as people write them: a request, then what it is about."""
    kind = ("json", "code", "prose")[number % 3]
    return f"{KINDS['prose'](number)[:200]}\n\n{KINDS[kind](number)}"


@given(
    st.lists(st.tuples(st.text(), st.integers(-5, 500), st.integers(-5, 5000))),
    st.text(),
    st.integers(0, 500),
)
def test_counts_are_ordered_whatever_was_learned(
    lessons: list[tuple[str, int, int]], text: str, pieces: int
) -> None:
    """Low <= best <= high; what was learned moves best alone."""
    counter = TokenCounter("sim-mid")
    for lesson, parts, tokens in lessons:
        counter.learn_output(makeup_of(lesson), parts, tokens)
        counter.learn_input(makeup_of(lesson), tokens)
    makeup = makeup_of(text)

    leaving, entering = counter.output(makeup, pieces), counter.input(makeup)

    assert leaving.low <= leaving.best <= leaving.high
    assert entering.low <= entering.best <= entering.high
    assert (leaving.low, leaving.high) == (pieces, FRESH.output(makeup, pieces).high)
    assert entering.high == len(text.encode()) + FRAMING_TOKENS
    assert entering.low == FRESH.input(makeup).low


def test_few_calls_are_not_believed() -> None:
    """Three say something, two do not."""
    few, enough = (taught(n, pieces=10, tokens=40) for n in (ENOUGH_CALLS - 1, ENOUGH_CALLS))

    assert few.output(PROSE, 10) == FRESH.output(PROSE, 10)
    assert enough.output(PROSE, 10).best > FRESH.output(PROSE, 10).best


def test_pieces_that_are_tokens_are_counted() -> None:
    """Whatever they hold, once that has held for a few calls."""
    counter = TokenCounter("sim-mid")
    for number in range(ENOUGH_CALLS):
        text = KINDS["prose"](number)
        counter.learn_output(makeup_of(text), count_tokens(text), count_tokens(text))

    assert counter.output(PROSE, 40).best == 40
    assert FRESH.output(PROSE, 40).best == 40
    assert counter.output(PROSE, 5).best == 5 < FRESH.output(PROSE, 5).best


def test_odd_calls_change_little() -> None:
    """A bill for what was never in the text is not heard, if such bills are few."""
    sound, odd = TokenCounter("sim-mid"), TokenCounter("sim-mid")
    for number in range(20):
        text = KINDS["prose"](number)
        tokens = count_tokens(text)
        sound.learn_input(makeup_of(text), tokens)
        odd.learn_input(makeup_of(text), 3 * tokens if number % 5 == 0 else tokens)

    best = sound.input(PROSE).best

    assert abs(odd.input(PROSE).best - best) <= 1


def test_an_old_tokenizer_is_forgotten() -> None:
    """Only the last calls count."""
    counter, changed = taught(100, pieces=10, tokens=20), taught(KEPT_CALLS, pieces=10, tokens=40)
    for _ in range(KEPT_CALLS):
        counter.learn_output(PROSE, 10, 40)

    assert counter.output(PROSE, 10) == changed.output(PROSE, 10)


@pytest.mark.parametrize("tokens", [-1, 0, 9, PROSE.size + 1])
def test_what_cannot_be_the_count_of_the_text_teaches_nothing(tokens: int) -> None:
    """Fewer tokens than pieces, or more than bytes."""
    assert taught(10, pieces=10, tokens=tokens).output(PROSE, 10) == FRESH.output(PROSE, 10)


def test_a_model_that_hides_tokens_is_not_learned_from() -> None:
    """Its record counts what was never sent; that is counted by the clock instead."""
    counter = taught(10, pieces=10, tokens=40, model="openai:o3")

    assert counter.output(PROSE, 10) == FRESH.output(PROSE, 10)
    assert (counter.hidden(2000), counter.hidden(0), FRESH.hidden(2000)) == (180, 0, 0)


def test_a_record_that_tells_of_hidden_tokens_is_learned_from_without_them() -> None:
    """What is left was sent; and from then on that model is known to reason, whatever its name."""
    counter, plain = TokenCounter("openai:gpt-9"), taught(ENOUGH_CALLS, pieces=10, tokens=40)
    before = counter.hidden(2000)
    for _ in range(ENOUGH_CALLS):
        counter.learn_output(PROSE, 10, 640, hidden=600)

    assert counter.output(PROSE, 10) == plain.output(PROSE, 10)
    assert (before, counter.hidden(2000)) == (0, 180)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most", [1, 3, 12], ids=["token", "few", "many"])
def test_twenty_calls_calibrate(kind: str, most: int) -> None:
    """Whole answers teach the beginnings of others, by their makeup where pieces tell nothing.

    Exact where each token is a piece of its own; else a beginning may be of longer words than
    usual, and only most counts are close.
    """
    rng, counter = random.Random(f"{kind} {most}"), TokenCounter("sim-mid")
    for number in range(20):
        text = KINDS[kind](number)
        pieces = len(in_pieces(text, most, rng))
        counter.learn_output(makeup_of(text), pieces, count_tokens(text))

    errors = sorted(
        abs(best / true - 1)
        for number in LATER
        for best, true in _cut(counter, in_pieces(KINDS[kind](number), most, rng))
    )

    if most == 1:
        assert errors[-1] == 0
    assert errors[len(errors) * 9 // 10] < (0.05 if kind == "prose" else 0.15)


@pytest.mark.parametrize("prompt", [*KINDS.values(), mixed], ids=[*KINDS, "mixed"])
def test_prompts_of_all_kinds_teach_each_other(prompt: Callable[[int], str]) -> None:
    """One model is asked all sorts of things, and a prompt is rarely of one sort."""
    counter = TokenCounter("sim-mid")
    for number in range(20):
        counter.learn_input(makeup_of(mixed(number)), count_tokens(mixed(number)))

    for number in LATER:
        text = prompt(number)
        count, true = counter.input(makeup_of(text)), count_tokens(text)
        assert count.low <= true <= count.high
        assert abs(count.best / true - 1) < 0.1


def _cut(counter: TokenCounter, pieces: Iterable[str]) -> Iterable[tuple[int, int]]:
    """Counted and true tokens of an answer, cut after each piece from the hundredth token on."""
    arrived, true = Makeup(), 0
    for number, piece in enumerate(pieces, start=1):
        arrived, true = arrived + makeup_of(piece), true + count_tokens(piece)
        count = counter.output(arrived, number)
        assert count.low <= true <= count.high
        if true >= 100:
            yield count.best, true
