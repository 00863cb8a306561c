"""Guesses that are bought: a cheaper model is asked what a slower one is still working on.

What it will answer is unknown, but what the answer would be worth is not. The calls that could start
on it are judged as one bet, at the chance that its source is believed to be right: they begin when
the answer is there, so its g seconds shorten L wherever they matter and nowhere else. Its G dollars
are gone whether it is right or not, so they count against the bet in full (`rule.worth`).

Nothing is placed by a purchase. When the answer is there it is a guess like any other: a bet on it
is decided with its real arguments, and what it cost is sunk by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.pricing import Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """`k` answers of `operation` (`provider:model`) to one prompt, asked side by side.

    `seconds` (g) is how long they are expected to take, in whole milliseconds. Tokens are those of
    each answer, dollars those of all: `cost_usd` (G) is expected, `worst_usd` is what asking must
    reserve; None where unpriced.
    """

    operation: str
    k: int
    fingerprint: str
    seconds: Decimal
    input_tokens: int
    output_tokens: int
    estimate_basis: str
    rates: Rates | None
    cost_usd: Decimal | None
    worst_usd: Decimal | None
