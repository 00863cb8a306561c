"""Figures for people: dollars, seconds and shares, each with its unit, and unknown by name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from forerun.speculation.quantities import dollars, text

UNKNOWN = "unknown"
MINUS = "−"
PLACES = 6
LEAST_BRIEF = Decimal("0.001")
MOST_PLACES = 28


def usd(amount: Decimal | None, places: int = PLACES) -> str:
    """`$0.0346`: at least four places, rounded to `places`, without further zeros; `$0`."""
    if not amount:
        return UNKNOWN if amount is None else "$0"
    whole, _, rest = dollars(amount, places).partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(4, '0')}".replace("-", MINUS)


def brief_usd(amount: Decimal | None) -> str:
    """For headlines: four places, and more only where they would show nothing."""
    return usd(amount, 4 if amount is None or abs(amount) >= LEAST_BRIEF else PLACES)


def column_usd(amount: Decimal | None, places: int = 4) -> str:
    """For columns of amounts: as many places each."""
    return UNKNOWN if amount is None else dollars(amount, places).replace("-", MINUS)


def exact_usd(amount: Decimal | None) -> str:
    """Every digit of it."""
    if amount is None:
        return UNKNOWN
    return f"{MINUS if amount < 0 else ''}${text(abs(amount))}"


def places_of(amounts: Iterable[Decimal]) -> int:
    """How many decimal places show all of these to the last digit; at least 4."""
    exponents = [amount.normalize().as_tuple().exponent for amount in amounts]
    return max([4, *(-it for it in exponents if isinstance(it, int))])


def apart(one: Decimal, other: Decimal) -> int:
    """How many places two amounts take to look as unlike as they are; `PLACES` if they are equal."""
    places = PLACES
    while one != other and places < MOST_PLACES and usd(one, places) == usd(other, places):
        places += 1
    return places


def probability(p: Decimal) -> str:
    """`0.62`, to four places."""
    shown = f"{p:.4f}".rstrip("0").rstrip(".")
    return shown if shown not in ("0", "1") or p in (0, 1) else f"{p:.2g}"


def seconds(value: Decimal | float | None) -> str:
    """`2.31 s`, `84 ms`, `3 min 12 s`, `2 h 5 min`."""
    if value is None:
        return UNKNOWN
    sign, value = MINUS if value < 0 else "", abs(float(value))
    if value < 60:
        return f"{sign}{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{sign}{minutes} min {rest} s"
    return f"{sign}{minutes // 60} h {minutes % 60} min"


def milliseconds(ms: int | None) -> str:
    """The same for milliseconds."""
    return UNKNOWN if ms is None else seconds(ms / 1000)


def share(part: Decimal | float, whole: Decimal | float) -> str | None:
    """`32%`; None of nothing."""
    return whole_percent(float(part) / float(whole)) if whole else None


def whole_percent(part: Decimal | float | None) -> str:
    """`32%`, `−3%`."""
    if part is None:
        return UNKNOWN
    rounded = round(float(part) * 100)
    return f"{MINUS if rounded < 0 else ''}{abs(rounded)}%"


def moment(ms: int) -> str:
    """`2026-11-21 16:27:25 UTC`."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def count(number: int, noun: str) -> str:
    """`1 bet`, `2 bets`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(part: float) -> str:
    """A place on the page: `12.345%`, for CSS."""
    return f"{part * 100:.3f}%"
