"""How many tokens a text is, without a vendor's tokenizer.

After a cut no vendor sends a usage record, so somebody has to count. Characters divided by four is
off by -61 % to +27 % (llm.md 2.4), for a token is five letters of prose and one or two signs of
JSON. So letters, signs, digits and blanks are weighed apart: that holds for prose, for code, and
for a prompt that is something of each. Every count is a range: `low` and `high` are meant to hold,
`best` is only the likeliest.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.token_weights import weighed

USUAL_WEIGHTS = (Decimal("0.21"), Decimal("0.62"), Decimal("0.45"), Decimal("0.05"))
"""Tokens per byte of letters, signs, digits and blanks, so that prose, code, Markdown and Chinese
come out as measured on a vocabulary of 200,000 entries (llm.md 2.4). Ours."""

FRAMING_TOKENS = 32
"""What vendors add to a prompt of two messages, at most: roles and separators. Ours."""

LOW_FACTOR = 3
"""How much thinner than usual a text may spread over its tokens. Ours."""

USUAL_TOKENS_PER_SECOND = 90
"""Where a stream is too young to tell its own rate: the median of public measurements."""

TELLING_MS = 200
"""How long a stream must have run before its own rate is believed. Ours."""

_SIGNS = string.punctuation.encode()
_DIGITS = string.digits.encode()
_BLANKS = string.whitespace.encode()
_REASONING = re.compile(r"reasoning|think|(^|[-:])o[1-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRange:
    """A number of tokens: `low <= best <= high`."""

    low: int
    best: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Makeup:
    """What a text is made of, in bytes of UTF-8. Other scripts than ASCII count as letters."""

    letters: int = 0
    signs: int = 0
    digits: int = 0
    blanks: int = 0

    def __add__(self, other: Makeup) -> Makeup:
        return Makeup(
            letters=self.letters + other.letters,
            signs=self.signs + other.signs,
            digits=self.digits + other.digits,
            blanks=self.blanks + other.blanks,
        )

    @property
    def parts(self) -> tuple[int, int, int, int]:
        """In the order of their weights."""
        return self.letters, self.signs, self.digits, self.blanks

    @property
    def size(self) -> int:
        """All of it."""
        return sum(self.parts)


def makeup_of(text: str) -> Makeup:
    """What `text` is made of; a stream may stop, or be cut into pieces, within a surrogate pair."""
    data = text.encode(errors="surrogatepass")
    signs, digits, blanks = (
        len(data) - len(data.translate(None, some)) for some in (_SIGNS, _DIGITS, _BLANKS)
    )
    letters = len(data) - signs - digits - blanks
    return Makeup(letters=letters, signs=signs, digits=digits, blanks=blanks)


def estimate_tokens(text: Makeup, weights: Sequence[Decimal] = USUAL_WEIGHTS) -> TokenRange:
    """The tokens of a text of this makeup; measured `weights` move `best` and never the bounds.

    `high` is its length in bytes: no vocabulary of the vendors we know has more tokens than that.
    """
    low = _whole(text, USUAL_WEIGHTS) // LOW_FACTOR
    return TokenRange(low=low, best=max(_whole(text, weights), low), high=text.size)


def in_flight_tokens(delivered: int, streaming_ms: int, in_flight_ms: int) -> int:
    """Tokens that were generated before the provider stopped, and never read.

    `streaming_ms` is the time since the first token, `in_flight_ms` that from the last one we read
    until the provider has stopped. Where none was read, none is assumed.
    """
    if not delivered:
        return 0
    if streaming_ms < TELLING_MS:
        return USUAL_TOKENS_PER_SECOND * in_flight_ms // 1000
    return math.ceil(delivered * in_flight_ms / streaming_ms)


def hides_tokens(model: str) -> bool:
    """Whether a model bills reasoning that it does not stream; only its name can tell."""
    return _REASONING.search(model) is not None


def _whole(text: Makeup, weights: Sequence[Decimal]) -> int:
    """At least one, where there is any text."""
    return min(max(round(weighed(text.parts, weights)), 1), text.size)
