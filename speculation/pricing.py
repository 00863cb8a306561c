"""What a model call costs: separate rates for input, output and cached input.

Rates are dollars per million tokens. The price book that finds them is an activity's business; here
they are arguments. Unknown is `None`, never 0: a call whose rates are unknown has no price.
"""

# No postponed annotations: pydantic would look their names up in sys.modules, and the workflow
# sandbox has only those modules there that the workflow itself imported.

from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.quantities import ZERO

PER_MILLION = -6
"""A rate per million tokens becomes a rate per token by shifting the point: exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Dollars per million tokens, with where and when they were found.

    `basis` is `"exact"` for a price found for this very model and `"estimated"` where the book had
    to fall back, for instance on the standard rate of an unknown service tier.
    """

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cache_read_usd_per_mtok: Decimal
    cache_write_usd_per_mtok: Decimal
    version: str
    priced_at: str
    basis: str = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Rates of a model by the length of the prompt: those it falls under hold for all its tokens.

    `above` are the rates of prompts of more than so many tokens, shortest first.
    """

    base: Rates
    above: tuple[tuple[int, Rates], ...] = ()

    def rates(self, input_tokens: int) -> Rates:
        """The rates for a prompt of this length."""
        found = self.base
        for length, rates in self.above:
            if input_tokens > length:
                found = rates
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one or more attempts. `input_tokens` is the total, cached ones included."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
        )


def input_usd(rates: Rates, usage: Usage) -> Decimal:
    """Dollars of the input tokens of `usage`, cached tokens at their own rates."""
    fresh = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
    return (
        rates.input_usd_per_mtok * fresh
        + rates.cache_read_usd_per_mtok * usage.cache_read_tokens
        + rates.cache_write_usd_per_mtok * usage.cache_write_tokens
    ).scaleb(PER_MILLION)


def fresh_input_usd(rates: Rates, tokens: int) -> Decimal:
    """Dollars of `tokens` input tokens of which none is cached."""
    return (rates.input_usd_per_mtok * tokens).scaleb(PER_MILLION)


def output_usd(rates: Rates, tokens: Decimal | int) -> Decimal:
    """Dollars of `tokens` output tokens."""
    return (rates.output_usd_per_mtok * tokens).scaleb(PER_MILLION)


def call_usd(rates: Rates, usage: Usage) -> Decimal:
    """Dollars of a finished call."""
    return input_usd(rates, usage) + output_usd(rates, usage.output_tokens)


def worst_case_usd(rates: Rates, *, input_bytes: int, max_output_tokens: int) -> Decimal:
    """The most a call can cost: every input byte a token, the whole output allowance.

    No tokenizer of the vendors we know yields more tokens than bytes, so a reservation of this much
    is never exceeded (design 6, invariant 6).
    """
    dearest_input = max(rates.input_usd_per_mtok, rates.cache_write_usd_per_mtok, ZERO)
    whole_output = rates.output_usd_per_mtok * max_output_tokens
    return (dearest_input * input_bytes + whole_output).scaleb(PER_MILLION)
