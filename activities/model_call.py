"""INTERFACE (to be completed): the model call activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One model call, and nothing about why it is made: a speculation is the same request.

    `prompt` is the last user message, sent unchanged; `system` carries the author's system text.
    At most one of `choices` and `schema` is set. `expected_output_tokens` only serves the bill of a
    cut call.
    """

    provider: str
    model: str
    prompt: str
    system: str | None = None
    choices: tuple[str, ...] | None = None
    schema: dict[str, Any] | None = None
    max_output_tokens: int = 1024
    temperature: float | None = None
    expected_output_tokens: int = 256
