"""How many tokens a byte of each sort is, or a piece, measured on texts of known length.

Least squares, with a long text forgiven more than a short one. Two things keep it from being led
astray. The usual weights pull at every figure, and prevail where the texts say nothing about it:
prose tells little about digits. And the texts that fit worst are left out, as a vendor may bill
what was never in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from forerun.speculation.quantities import FIGURES, ZERO

PULL = Decimal(5)
"""How hard the usual weights pull: as hard as two pages of prose where signs are concerned. Ours."""

LEFT_OUT = 4
"""One in so many texts, those that fit worst, is left out. Ours."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A text by the number of things in it, and the number of its tokens, at least one."""

    parts: tuple[int, ...]
    tokens: int


def weighed(parts: Sequence[int], weights: Sequence[Decimal]) -> Decimal:
    """The tokens of a text at so many for one of each thing in it."""
    with localcontext(FIGURES):
        return sum((w * n for w, n in zip(weights, parts, strict=True)), ZERO)


def fitted(texts: Sequence[Counted], usual: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """The weights that these texts suggest."""
    with localcontext(FIGURES):
        first = _solved(texts, usual)
        by_error = sorted(texts, key=lambda text: error(text, first) / text.tokens)
        return _solved(by_error[: len(texts) - len(texts) // LEFT_OUT], usual)


def error(text: Counted, weights: Sequence[Decimal]) -> Decimal:
    """By how many tokens these weights miscount a text."""
    return abs(weighed(text.parts, weights) - text.tokens)


def _solved(texts: Sequence[Counted], usual: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """The normal equations, by elimination: thanks to the pull, no pivot is ever 0."""
    rows = [_equation(part, texts, usual) for part in range(len(usual))]
    for part in range(len(usual)):
        pivot = rows[part]
        for other, row in enumerate(rows):
            if other != part:
                factor = row[part] / pivot[part]
                rows[other] = [a - factor * b for a, b in zip(row, pivot, strict=True)]
    return tuple(row[-1] / row[part] for part, row in enumerate(rows))


def _equation(part: int, texts: Sequence[Counted], usual: Sequence[Decimal]) -> list[Decimal]:
    row = [ZERO] * len(usual) + [PULL * usual[part]]
    row[part] = PULL
    for text in texts:
        share = Decimal(text.parts[part]) / text.tokens
        row = [a + share * n for a, n in zip(row, (*text.parts, text.tokens), strict=True)]
    return row
