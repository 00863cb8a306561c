"""Dollars, probabilities and seconds: exact, and spelled one way.

All decision figures are computed in one fixed Decimal context, so that two machines that recompute
a record get the same digits. Ledger money never meets a division except by powers of ten (a price
per million tokens is shifted, not divided), so sums are exact.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

FIGURES = Context(prec=28, rounding=ROUND_HALF_EVEN)
"""The context of every decision figure: 28 digits, half to even (design 4.1)."""

ZERO = Decimal(0)
ONE = Decimal(1)


def number(value: Decimal | int | float | str) -> Decimal:
    """`value` as a finite Decimal; a float enters through `str`, so 0.1 is 0.1.

    Raises:
        ValueError: it is not a number, or not a finite one.
    """
    try:
        result = Decimal(str(value) if isinstance(value, float) else value)
    except (ArithmeticError, TypeError) as error:
        raise ValueError(f"{value!r} is not a decimal number") from error
    if not result.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return result


def text(value: Decimal) -> str:
    """`value` in plain digits, without exponent or trailing zeros: what records and JSON carry."""
    plain = format(value.normalize(FIGURES) if value else ZERO, "f")
    return plain.removeprefix("-") if not value else plain


def dollars(value: Decimal, places: int = 4) -> str:
    """`value` for people: `$0.0346`, `-$0.0012`. Rounded: never computed with."""
    return f"{'-' if value < 0 else ''}${abs(value):.{places}f}"
