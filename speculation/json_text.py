"""Text that is one JSON object or array: its layout means nothing, its every character does."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from forerun.speculation.canonical import canonical


def json_in(text: str) -> Any:
    """The JSON object or array that a text is; None for any other text.

    Two results are equal if and only if the JSON is: a number is a pair that no other value equals,
    since True == 1 in Python, and it keeps every digit.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(
            canonical(text),
            parse_int=_number,
            parse_float=_number,
            parse_constant=_number,
            object_pairs_hook=_object,
        )
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _number(digits: str) -> tuple[str, Decimal]:
    value = Decimal(digits)
    if not value.is_finite():
        raise ValueError(f"{digits} is not a JSON number")
    return ("number", value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key occurs twice: nobody knows which one is read")
    return value
