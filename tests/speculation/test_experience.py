"""What a worker has seen: usual figures that no single call can move, in bounded memory."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.experience import ENOUGH_CALLS, Experience, Observation
from forerun.speculation.pricing import Usage

CALL = Observation(
    workload="auto-reply",
    node="draft",
    operation="openai:sim-mid",
    input_bytes=800,
    ms=2000,
    usage=Usage(input_tokens=200, output_tokens=120),
)
TOOL = replace(CALL, node="lookup", operation="kb.search", ms=40, usage=Usage())

durations = st.integers(0, 600_000)


def lasting(*ms: int) -> Experience:
    """Experience of calls that took so long."""
    experience = Experience()
    experience.learn(replace(CALL, ms=each) for each in ms)
    return experience


def usual_ms(experience: Experience) -> Decimal:
    """How long the calls usually take."""
    seen = experience.of(CALL.workload, CALL.node, CALL.operation)
    assert seen is not None
    return seen.ms


def test_too_few_calls_say_nothing() -> None:
    """Two may both be odd."""
    experience = Experience()

    experience.learn([CALL] * (ENOUGH_CALLS - 1))
    assert experience.of(CALL.workload, CALL.node, CALL.operation) is None

    experience.learn([CALL])
    assert usual_ms(experience) == 2000


def test_tokens_are_seen_with_the_time() -> None:
    """Input by the byte, as prompts of one node differ in length."""
    experience = Experience()
    experience.learn([CALL] * 3)

    seen = experience.of(CALL.workload, CALL.node, CALL.operation)

    assert seen is not None
    assert seen.input_tokens_per_byte == Decimal("0.25")
    assert seen.output_tokens == 120


def test_a_tool_has_a_duration_and_no_tokens() -> None:
    """Nor has a model whose provider does not count."""
    experience = Experience()
    experience.learn([TOOL] * 3)

    seen = experience.of(TOOL.workload, TOOL.node, TOOL.operation)

    assert seen is not None
    assert (seen.ms, seen.input_tokens_per_byte, seen.output_tokens) == (40, None, None)


@given(st.lists(st.integers(900, 1100), min_size=3, max_size=30), st.data())
def test_a_stalled_call_moves_nothing_beyond_what_calls_are_like(
    usual: list[int], data: st.DataObject
) -> None:
    """Ten times as long, at any place, be it the very first: the figure stays among the others."""
    place = data.draw(st.integers(0, len(usual)))

    stalled = lasting(*usual[:place], 10_000, *usual[place:])

    assert min(usual) <= usual_ms(stalled) <= max(usual)


def test_a_slower_model_takes_over() -> None:
    """Within about ten calls, and never in one leap."""
    experience = lasting(*[1000] * 20)
    figures: list[Decimal] = []
    for _ in range(12):
        experience.learn([replace(CALL, ms=3000)])
        figures.append(usual_ms(experience))

    assert figures[0] == 1000
    assert figures == sorted(figures)
    assert all(later - former <= 500 for former, later in pairwise(figures))
    assert figures[-1] > 2800


@given(st.lists(durations, min_size=3, max_size=40), st.data())
def test_the_same_calls_in_the_same_order_give_the_same_figure(
    ms: list[int], data: st.DataObject
) -> None:
    """However they were handed over; and it is one that was possible."""
    split = data.draw(st.integers(0, len(ms)))
    parted = lasting(*ms[:split])
    parted.learn(replace(CALL, ms=each) for each in ms[split:])

    figure = usual_ms(lasting(*ms))

    assert figure == usual_ms(parted)
    assert min(ms) <= figure <= max(ms)


def test_only_calls_that_are_alike_teach_each_other() -> None:
    """Another workload, node or operation is another kind: a changed model starts anew."""
    experience = lasting(*[2000] * 5)

    assert experience.of("other", CALL.node, CALL.operation) is None
    assert experience.of(CALL.workload, "verify", CALL.operation) is None
    assert experience.of(CALL.workload, CALL.node, "openai:sim-large") is None


def test_what_was_not_seen_for_longest_is_forgotten() -> None:
    """Memory is bounded."""
    experience = Experience(remembered=2)
    kinds = [replace(CALL, node=node) for node in ("first", "second", "third")]
    experience.learn([kinds[0]] * 3 + [kinds[1]] * 3 + [kinds[0]])

    experience.learn([kinds[2]] * 3)

    known = [experience.of(k.workload, k.node, k.operation) is not None for k in kinds]
    assert known == [True, False, True]
