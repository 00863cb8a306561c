"""How long a call will take and how many tokens it will use, before it runs.

The spec's own `estimate` wins; else public model latencies (llm.md 7: medians that sources put 2-4x
apart, so three classes of model are as fine as they honestly get) and the length of the prompt. The
basis is recorded beside every figure.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

BYTES_PER_TOKEN = Decimal("4.0")
"""Of a prompt, which mixes prose, markup and data (llm.md 2.4); ours."""

DEFAULT_ANSWER_TOKENS = 300
"""Expected length of a free answer of unknown kind; ours."""

PREFILL_MS_PER_TOKEN = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is known of a node's call beforehand.

    `input_bytes` is the length of what will be sent, or of its template where it can't be rendered
    yet. `choice_tokens` bounds the answer of a node with choices. `tool_seconds` and `tool_usd` come
    from a tool's registration, and are None for a model call. The last three are the spec's.
    """

    operation: str
    input_bytes: int
    max_output_tokens: int = 0
    choice_tokens: int | None = None
    tool_seconds: Decimal | None = None
    tool_usd: Decimal | None = None
    seconds: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Point estimates of one call; `basis` says where the seconds come from."""

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


def estimate(work: Work) -> Estimate:
    """Point estimates for `work`, by the spec, a tool's registration or public latencies."""
    if work.tool_seconds is not None:
        seconds, basis = work.tool_seconds, "operation"
        inputs = outputs = 0
    else:
        inputs, outputs = input_tokens(work), output_tokens(work)
        seconds, basis = _model_seconds(work.operation, inputs, outputs), "public"
    if work.seconds is not None:
        seconds, basis = work.seconds, "spec"
    return Estimate(
        ms=int((seconds * 1000).to_integral_value()),
        input_tokens=inputs,
        output_tokens=outputs,
        basis=basis,
    )


def input_tokens(work: Work) -> int:
    """Expected input tokens of a model call."""
    if work.input_tokens is not None:
        return work.input_tokens
    return math.ceil(work.input_bytes / BYTES_PER_TOKEN)


def output_tokens(work: Work) -> int:
    """Expected output tokens of a model call, never more than it may use."""
    if work.output_tokens is not None:
        expected = work.output_tokens
    elif work.choice_tokens is not None:
        expected = work.choice_tokens
    else:
        expected = DEFAULT_ANSWER_TOKENS
    return min(expected, work.max_output_tokens)


def _model_seconds(operation: str, inputs: int, outputs: int) -> Decimal:
    name = operation.partition(":")[2]
    pace = next((pace for pattern, pace in _PACES if pattern.search(name)), _USUAL_PACE)
    ms = pace.first_token_ms + PREFILL_MS_PER_TOKEN * inputs
    return (ms + Decimal(1000 * outputs) / pace.tokens_per_second) / 1000
