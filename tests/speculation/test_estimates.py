"""Estimates: the spec's figures, then what was seen, then what is public; each with its basis."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.estimates import DEFAULT_ANSWER_TOKENS, Work, estimate, output_tokens
from forerun.speculation.experience import Experience, Observation
from forerun.speculation.pricing import Usage

NOTHING = Experience()
MODEL = Work(
    workload="auto-reply",
    node="draft",
    operation="openai:sim-mid",
    input_bytes=400,
    max_output_tokens=500,
)
TOOL = Work(
    workload="auto-reply",
    node="lookup",
    operation="kb.search",
    input_bytes=30,
    tool_seconds=Decimal("0.8"),
    tool_usd=Decimal(0),
)


def seen(work: Work, ms: int, usage: Usage) -> Experience:
    """Experience of enough calls of `work`, each of 800 bytes."""
    experience = Experience()
    call = Observation(
        workload=work.workload,
        node=work.node,
        operation=work.operation,
        input_bytes=800,
        ms=ms,
        usage=usage,
    )
    experience.learn([call] * 3)
    return experience


SEEN = seen(MODEL, 1234, Usage(input_tokens=160, output_tokens=77))


def test_an_unknown_call_goes_by_public_figures() -> None:
    """The time to the first token, the prompt, and an answer of usual length at usual pace."""
    expected = estimate(MODEL, NOTHING)

    assert (expected.input_tokens, expected.output_tokens) == (100, DEFAULT_ANSWER_TOKENS)
    assert expected.ms == 750 + 10 + 3333
    assert expected.basis == "public"


@pytest.mark.parametrize(
    ("model", "ms"),
    [("openai:gpt-4o-mini", 2510), ("anthropic:claude-opus-4-8", 9010), ("openai:o3", 9343)],
)
def test_models_come_in_a_few_classes(model: str, ms: int) -> None:
    """By what their names say."""
    assert estimate(replace(MODEL, operation=model), NOTHING).ms == ms


def test_what_was_seen_beats_what_is_public() -> None:
    """Time and output as they were, the input by the length of this prompt."""
    expected = estimate(MODEL, SEEN)

    assert (expected.ms, expected.input_tokens, expected.output_tokens) == (1234, 80, 77)
    assert expected.basis == "seen"


def test_the_spec_beats_everything() -> None:
    """Figure by figure, and each says where it is from."""
    work = replace(MODEL, seconds=Decimal(3), output_tokens=9)

    known, unknown = estimate(work, SEEN), estimate(work, NOTHING)

    assert (known.ms, known.input_tokens, known.output_tokens) == (3000, 80, 9)
    assert known.basis == "spec seconds, seen input, spec output"
    assert (unknown.ms, unknown.input_tokens, unknown.output_tokens) == (3000, 100, 9)
    assert unknown.basis == "spec seconds, public input, spec output"
    assert estimate(replace(work, input_tokens=5), SEEN).basis == "spec"


def test_a_tool_takes_as_long_as_it_took_before() -> None:
    """Before that, as long as it was registered with; its spec wins over both."""
    experience = seen(TOOL, 90, Usage())

    estimates = [
        estimate(TOOL, NOTHING),
        estimate(TOOL, experience),
        estimate(replace(TOOL, seconds=Decimal(2)), experience),
    ]

    assert [(e.ms, e.basis) for e in estimates] == [
        (800, "operation"),
        (90, "seen"),
        (2000, "spec"),
    ]
    assert all(e.input_tokens == e.output_tokens == 0 for e in estimates)


def test_time_without_tokens_is_known_where_the_provider_does_not_count() -> None:
    """Then the tokens go by what is public."""
    expected = estimate(MODEL, seen(MODEL, 1234, Usage()))

    assert (expected.ms, expected.input_tokens) == (1234, 100)
    assert expected.basis == "seen seconds, public input, public output"


def test_another_model_on_the_same_node_starts_anew() -> None:
    """What was seen was seen of the other one."""
    assert estimate(replace(MODEL, operation="openai:sim-large"), SEEN).basis == "public"


def test_a_choice_is_as_long_as_the_longest() -> None:
    """Unless it was seen to be otherwise: a model may think before it chooses."""
    work = replace(MODEL, choice_tokens=4)

    assert estimate(work, NOTHING).output_tokens == output_tokens(work) == 4
    assert estimate(work, SEEN).output_tokens == 77


@given(
    st.none() | st.integers(0, 10_000),
    st.none() | st.integers(1, 10_000),
    st.integers(0, 1000),
    st.booleans(),
)
def test_no_call_is_expected_to_use_more_than_it_may(
    told: int | None, choice: int | None, most: int, known: bool
) -> None:
    """The allowance is a hard limit, whatever the basis."""
    work = replace(MODEL, output_tokens=told, choice_tokens=choice, max_output_tokens=most)

    assert estimate(work, SEEN if known else NOTHING).output_tokens <= most
    assert output_tokens(work) <= most
