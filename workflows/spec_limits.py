"""What is refused before anything looks at it closely: no JSON, too deep, too large.

Everything behind this recurses over the spec. So this does not: hostile depth would end in a
RecursionError, which is no spec error, fails the workflow task and is tried again for ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

from forerun.workflows.spec_errors import SpecError, at, shown

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 50
MAX_INTEGER_BITS = 256

_Trail = tuple["_Trail", str | int] | None


def check_limits(raw: object) -> None:
    """Let `raw` through if it is JSON of at most 1 MB, 100,000 values and 50 levels.

    Raises:
        SpecError: it is not; the error names the first offending place.
    """
    size = values = 0
    waiting: list[tuple[Any, int, _Trail]] = [(raw, 0, None)]
    while waiting:
        value, depth, trail = waiting.pop()
        problem = _problem(value, depth)
        if problem:
            raise SpecError(_path(trail), *problem)
        size += _own_bytes(value)
        values += 1
        if size > MAX_BYTES:
            raise _too_large(f"{MAX_BYTES:,} bytes")
        if values + len(waiting) > MAX_VALUES:
            raise _too_large(f"{MAX_VALUES:,} values")
        waiting.extend((inner, depth + 1, (trail, key)) for key, inner in _inside(value))


def _too_large(limit: str) -> SpecError:
    fix = "pass large data by reference, or split the run"
    return SpecError("spec", "", f"holds more than {limit}", fix)


def _problem(value: object, depth: int) -> tuple[str, str, str] | None:
    """The offending part of one value, what is wrong with it, and the fix; not what is inside."""
    if depth > MAX_DEPTH:
        return "", f"is nested deeper than {MAX_DEPTH} levels", "flatten it"
    match value:
        case None | bool() | list():
            return None
        case str():
            return _text_problem([value])
        case dict():
            return _text_problem(list(cast("dict[Any, Any]", value)))
        case int() if value.bit_length() > MAX_INTEGER_BITS:
            return "", f"is a number of more than {MAX_INTEGER_BITS} bits", "write it as text"
        case float() if not math.isfinite(value):
            return repr(value), f"{value!r} is not a JSON number", "leave it out"
        case int() | float():
            return None
        case _:
            kind = type(value).__name__
            return kind, f"a {kind} is not JSON", "write JSON"


def _text_problem(texts: list[Any]) -> tuple[str, str, str] | None:
    for text in texts:
        if not isinstance(text, str):
            return repr(text), f"{text!r:.80} is not a JSON key", "write a JSON string"
        try:
            text.encode()
        except UnicodeEncodeError:
            return shown(text), f"{shown(text)} holds half a surrogate pair", "write valid Unicode"
    return None


def _own_bytes(value: object) -> int:
    """A lower bound on the JSON text of `value`, without what is inside it."""
    if isinstance(value, str):
        return len(value.encode()) + 2
    if isinstance(value, dict):
        return sum(len(key.encode()) + 4 for key in cast("dict[str, Any]", value))
    return 2


def _inside(value: Any) -> Iterator[tuple[str | int, Any]]:
    """Last first: what is pushed last is looked at first."""
    if isinstance(value, dict):
        yield from reversed(cast("dict[str, Any]", value).items())
    elif isinstance(value, list):
        items = cast("list[Any]", value)
        yield from ((i, items[i]) for i in range(len(items) - 1, -1, -1))


def _path(trail: _Trail) -> str:
    segments: list[str | int] = []
    while trail is not None:
        trail, segment = trail
        segments.append(segment)
    return at("", *reversed(segments)) or "spec"
