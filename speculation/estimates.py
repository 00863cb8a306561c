"""How long a call will take and how many tokens it will use, before it runs.

The spec's own `estimate` wins; then what this worker has seen of such calls; else what a tool was
registered with, or public model latencies (llm.md 7: medians that sources put 2-4x apart, so three
classes of model are as fine as they honestly get) and the length of the prompt. Each figure goes by
the best that is known for it, and the bases are recorded with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from forerun.speculation.experience import Experience, Seen
from forerun.speculation.quantities import FIGURES

BYTES_PER_TOKEN = 4
"""Of a prompt, which mixes prose, markup and data (llm.md 2.4); ours."""

DEFAULT_ANSWER_TOKENS = 300
"""Expected length of a free answer of unknown kind; ours."""

PREFILL_MS_PER_TOKEN = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is known of a node's call beforehand.

    `workload` and `node` say which calls are alike: those of one name in the spec, whichever item
    of a fan-out they are for. `input_bytes` is the length of what will be sent, or of its template
    where it can't be rendered yet. `choice_tokens` bounds the answer of a node with choices.
    `tool_seconds` and `tool_usd` come from a tool's registration, and are None for a model call.
    The last three are the spec's.
    """

    workload: str = ""
    node: str = ""
    operation: str
    input_bytes: int
    max_output_tokens: int = 0
    choice_tokens: int | None = None
    tool_seconds: Decimal | None = None
    tool_usd: Decimal | None = None
    seconds: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class EstimateBasis(StrEnum):
    """What a figure was taken from, the best first."""

    SPEC = "spec"
    """The node's own `estimate`."""
    SEEN = "seen"
    """Calls like it that this worker has seen."""
    OPERATION = "operation"
    """The registration of the tool."""
    PUBLIC = "public"
    """Public latencies of such models, the length of the prompt or of the longest choice."""


class Estimate(NamedTuple):
    """Point estimates of one call. A tool has no tokens.

    `basis` names an `EstimateBasis`, or one for each figure where they differ: `seen seconds, spec
    input, public output`.
    """

    ms: int
    input_tokens: int
    output_tokens: int
    basis: str


@dataclass(frozen=True, slots=True)
class _Pace:
    first_token_ms: int
    tokens_per_second: int


_PACES = (
    (re.compile(r"reasoning|think|(^|[-:])o[1-9]"), _Pace(6000, 90)),
    (re.compile(r"small|mini|nano|lite|flash|haiku|luna"), _Pace(500, 150)),
    (re.compile(r"large|opus|pro\b|astra|fable"), _Pace(1500, 40)),
)
_USUAL_PACE = _Pace(750, 90)


def estimate(work: Work, experience: Experience, input_bytes: int | None = None) -> Estimate:
    """Point estimates for `work`, by the spec, then by `experience`, then by what is public.

    `input_bytes` is what is really sent, where that is known by now.
    """
    size = work.input_bytes if input_bytes is None else input_bytes
    seen = experience.of(work.workload, work.node, work.operation)
    if work.tool_seconds is not None:
        registered = work.tool_seconds * 1000, EstimateBasis.OPERATION
        ms, basis = _milliseconds(work, seen) or registered
        return Estimate(ms=round(ms), input_tokens=0, output_tokens=0, basis=basis)
    inputs, input_from = _input_tokens(work, seen, size)
    outputs, output_from = _output_tokens(work, seen)
    ms, ms_from = _milliseconds(work, seen) or _public_ms(work.operation, inputs, outputs)
    return Estimate(
        ms=round(ms),
        input_tokens=inputs,
        output_tokens=outputs,
        basis=_words(ms_from, input_from, output_from),
    )


def output_tokens(work: Work) -> int:
    """Expected output tokens of a model call, by the spec alone, never more than it may use."""
    return _output_tokens(work, None)[0]


def _milliseconds(work: Work, seen: Seen | None) -> tuple[Decimal, EstimateBasis] | None:
    if work.seconds is not None:
        return work.seconds * 1000, EstimateBasis.SPEC
    return (seen.ms, EstimateBasis.SEEN) if seen else None


def _input_tokens(work: Work, seen: Seen | None, size: int) -> tuple[int, EstimateBasis]:
    if work.input_tokens is not None:
        return work.input_tokens, EstimateBasis.SPEC
    if seen is not None and seen.input_tokens_per_byte is not None:
        tokens = FIGURES.multiply(Decimal(size), seen.input_tokens_per_byte)
        return round(tokens), EstimateBasis.SEEN
    return -(-size // BYTES_PER_TOKEN), EstimateBasis.PUBLIC


def _output_tokens(work: Work, seen: Seen | None) -> tuple[int, EstimateBasis]:
    if work.output_tokens is not None:
        expected, basis = work.output_tokens, EstimateBasis.SPEC
    elif seen is not None and seen.output_tokens is not None:
        expected, basis = round(seen.output_tokens), EstimateBasis.SEEN
    elif work.choice_tokens is not None:
        expected, basis = work.choice_tokens, EstimateBasis.PUBLIC
    else:
        expected, basis = DEFAULT_ANSWER_TOKENS, EstimateBasis.PUBLIC
    return min(expected, work.max_output_tokens), basis


def _public_ms(operation: str, inputs: int, outputs: int) -> tuple[Decimal, EstimateBasis]:
    pace = _pace(operation)
    before = pace.first_token_ms + PREFILL_MS_PER_TOKEN * inputs
    writing = FIGURES.divide(1000 * outputs, pace.tokens_per_second)
    return before + writing, EstimateBasis.PUBLIC


@lru_cache(maxsize=256)
def _pace(operation: str) -> _Pace:
    name = operation.partition(":")[2]
    return next((pace for pattern, pace in _PACES if pattern.search(name)), _USUAL_PACE)


def _words(seconds: EstimateBasis, inputs: EstimateBasis, outputs: EstimateBasis) -> str:
    if seconds is inputs is outputs:
        return seconds
    return f"{seconds} seconds, {inputs} input, {outputs} output"
