"""Counting one model's tokens, better with every call of it that finished.

A usage record comes with every finished call and with no cut one, so the former teach how to count
the latter. Two things tell the length of an answer: what it is made of, and the pieces that it came
in. Some vendors send each token as a piece of its own, others several at a time; so the one is
taken that would have miscounted fewer tokens of the calls before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, localcontext

from forerun.speculation.quantities import FIGURES, ONE, ZERO
from forerun.speculation.token_weights import Counted, error, fitted, weighed
from forerun.speculation.tokens import (
    FRAMING_TOKENS,
    USUAL_TOKENS_PER_SECOND,
    USUAL_WEIGHTS,
    Makeup,
    TokenRange,
    estimate_tokens,
    hides_tokens,
)

ENOUGH_CALLS = 3
"""Of how many finished calls something must be known before it is believed. Ours."""

KEPT_CALLS = 32
"""How many finished calls are remembered: a vendor may change its tokenizer. Ours."""


class TokenCounter:
    """Counts the tokens of the texts of `model`, a name with or without its provider."""

    def __init__(self, model: str) -> None:
        self._hides = hides_tokens(model)
        self._sent = _Scale(USUAL_WEIGHTS)
        self._answers = _Scale(USUAL_WEIGHTS)
        self._pieces = _Scale((ONE,))

    def input(self, sent: Makeup) -> TokenRange:
        """The input tokens of a call that sends `sent`."""
        count = estimate_tokens(sent, self._sent.weights)
        return replace(count, high=count.high + FRAMING_TOKENS)

    def output(self, text: Makeup, pieces: int) -> TokenRange:
        """The tokens of an answer, or of its beginning, in so many pieces.

        A piece holds one token (OpenAI) or several (Anthropic), never less than one.
        """
        count = estimate_tokens(text, self._answers.weights)
        best, high = count.best, max(count.high, pieces)
        if self._pieces.miss < self._answers.miss:
            best = round(weighed((pieces,), self._pieces.weights))
        return TokenRange(low=pieces, best=min(max(best, pieces), high), high=high)

    def hidden(self, waiting_ms: int) -> int:
        """Reasoning tokens that are billed but not sent, after waiting so long for the first piece.

        0 for a model of which neither its name nor a bill says that it reasons.
        """
        return USUAL_TOKENS_PER_SECOND * waiting_ms // 1000 if self._hides else 0

    def learn_input(self, sent: Makeup, tokens: int) -> None:
        """A call that sent `sent` was billed so many input tokens."""
        if 0 < tokens <= sent.size + FRAMING_TOKENS:
            self._sent.learn(Counted(sent.parts, tokens))

    def learn_output(
        self, text: Makeup, pieces: int, tokens: int, hidden: int | None = None
    ) -> None:
        """A whole answer in so many pieces was billed so many output tokens.

        `hidden` of them were never sent; None where nobody tells, and then the name of the model does.
        """
        self._hides |= bool(hidden)
        sent = tokens - (hidden or 0)
        told = hidden is not None or not self._hides
        # More tokens than bytes are not those of the text: reasoning that nobody told of, say.
        if told and 0 < pieces <= sent <= text.size:
            self._answers.learn(Counted(text.parts, sent))
            self._pieces.learn(Counted((pieces,), sent))


class _Scale:
    """Weights learned from the last calls, and what share of all their tokens they miscount."""

    def __init__(self, usual: Sequence[Decimal]) -> None:
        self._usual = usual
        self._calls: deque[Counted] = deque(maxlen=KEPT_CALLS)
        self.weights = usual
        self.miss = Decimal("Infinity")

    def learn(self, call: Counted) -> None:
        self._calls.append(call)
        if len(self._calls) < ENOUGH_CALLS:
            return
        self.weights = fitted(tuple(self._calls), self._usual)
        with localcontext(FIGURES):
            missed = sum((error(call, self.weights) for call in self._calls), ZERO)
            self.miss = missed / sum(call.tokens for call in self._calls)
