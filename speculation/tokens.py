"""How many tokens a text is, without a vendor's tokenizer.

After a cut no vendor sends a usage record, so somebody has to count. Characters divided by four is
off by -61 % to +27 % (llm.md 2.4); bytes divided by a ratio that depends on the kind of text comes
closer, and a ratio measured on finished calls of the same model closer still. Every count is a
range: `low` and `high` are meant to hold, `best` is only the likeliest.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

PROSE = Decimal("5.1")
MARKDOWN = Decimal("4.0")
JSON = Decimal("2.4")
OTHER_SCRIPTS = Decimal("4.7")
"""Bytes of UTF-8 per token, measured on a vocabulary of 200,000 entries (llm.md 2.4)."""

FRAMING_TOKENS = 32
"""What vendors add to a prompt of two messages, at most: roles and separators. Ours."""

LOW_FACTOR = 3
"""How much thinner than expected a text may spread over its tokens: prose inside JSON strings is
twice as thin as JSON. Ours."""

IN_FLIGHT_MS = 100
"""From the last token we read until the provider has noticed that we are gone. Ours."""

USUAL_TOKENS_PER_SECOND = 90
"""Where a stream is too young to tell its own rate: the median of public measurements."""

TELLING_MS = 200
"""How long a stream must have run before its own rate is believed. Ours."""

_MARKUP = re.compile(r"^(?:#{1,6} |[-*+] |\d+\. |\||```)", re.MULTILINE)
_REASONING = re.compile(r"reasoning|think|(^|[-:])o[1-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRange:
    """A number of tokens: `low <= best <= high`."""

    low: int
    best: int
    high: int


def estimate_tokens(text: str, *, bytes_per_token: Decimal | None = None) -> TokenRange:
    """The tokens of `text`, by a measured ratio where one is given, else by its kind.

    `high` is its length in bytes: no vocabulary of the vendors we know has more tokens than that.
    """
    size = _bytes(text)
    best = min(math.ceil(size / (bytes_per_token or usual_bytes_per_token(text))), size)
    return TokenRange(low=best // LOW_FACTOR, best=best, high=size)


def usual_bytes_per_token(text: str) -> Decimal:
    """The ratio for the kind of text that this looks like."""
    if text.lstrip()[:1] in ("{", "["):
        return JSON
    if _bytes(text) > 1.5 * len(text):
        return OTHER_SCRIPTS
    if len(_MARKUP.findall(text)) > 1:
        return MARKDOWN
    return PROSE


def in_flight_tokens(delivered: int, streaming_ms: int) -> int:
    """Tokens that were generated before the provider stopped, and never read.

    `streaming_ms` is the time since the first token. Where none was read, none is assumed.
    """
    if not delivered:
        return 0
    if streaming_ms < TELLING_MS:
        return USUAL_TOKENS_PER_SECOND * IN_FLIGHT_MS // 1000
    return math.ceil(delivered * IN_FLIGHT_MS / streaming_ms)


def hidden_tokens(model: str, waiting_ms: int) -> int:
    """Reasoning tokens that are billed but not streamed, after waiting so long for the first one.

    Only a name tells that a model reasons, so this is 0 for one that does not say so.
    """
    if not _REASONING.search(model):
        return 0
    return USUAL_TOKENS_PER_SECOND * waiting_ms // 1000


def _bytes(text: str) -> int:
    """Length in UTF-8; a stream may stop, or be cut into pieces, within a surrogate pair."""
    return len(text.encode(errors="surrogatepass"))
