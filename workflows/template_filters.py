"""The filters and tests of templates: JSON in, JSON out.

They carry the names and meanings of Jinja2's, with two differences: each returns plain JSON (a list
where Jinja2 hands out a generator), and what could multiply its input works out the size of its
result first. What reaches into objects (`attr`), formats (`format`) or draws lots is missing on
purpose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from forerun.speculation.canonical import canonical_json
from forerun.workflows.template_values import (
    MAX_OUTPUT,
    EvaluationError,
    Missing,
    as_text,
    described,
    field_of,
    items_of,
    number_of,
    text_of,
)


def _bounded(length: int) -> None:
    if length > MAX_OUTPUT:
        raise EvaluationError(f"would produce more than {MAX_OUTPUT:,} characters")


def _whole(value: Any, low: int, high: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise EvaluationError(f"{described(value)} is not a whole number from {low} to {high}")


def _sequence(value: Any) -> Any:
    return value if isinstance(value, str) else items_of(value)


def _attribute(value: Any, attribute: Any) -> Any:
    """`value`, or the field of it that a dotted `attribute` leads to."""
    for key in str(attribute).split(".") if attribute is not None else ():
        value = field_of(value, int(key) if key.isdecimal() and len(key) < 9 else key, "an item")
        if isinstance(value, Missing):
            raise EvaluationError(value.why)
    return value


def _key(case_sensitive: Any, attribute: Any) -> Callable[[Any], Any]:
    """What items are compared by: a field of theirs, and text without regard to case."""

    def key(item: Any) -> Any:
        value = _attribute(item, attribute)
        return value.lower() if isinstance(value, str) and not case_sensitive else value

    return key


def _default(value: Any, default_value: Any = "", boolean: Any = False) -> Any:
    return default_value if isinstance(value, Missing) or (boolean and not value) else value


def _float(value: Any, default: Any = 0.0) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return default


def _int(value: Any, default: Any = 0) -> Any:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        return int(float(value))  # "42.9" is 42, as in Jinja2
    except (TypeError, ValueError, OverflowError):
        return default


def _indent(value: Any, width: Any = 4, first: Any = False) -> str:
    lines = text_of(value).split("\n")
    margin = width if isinstance(width, str) else " " * _whole(width, 0, 1000)
    _bounded(len(value) + len(lines) * len(margin))
    indented = [lines[0], *(margin + line if line else line for line in lines[1:])]
    return (margin if first else "") + "\n".join(indented)


def _items(value: Any) -> list[Any]:
    if not isinstance(value, dict):
        raise EvaluationError(f"{described(value)} is not an object")
    return [[key, value[key]] for key in items_of(value)]


def _join(value: Any, d: Any = "", attribute: Any = None) -> str:
    texts = [as_text(_attribute(item, attribute)) for item in items_of(value)]
    separator = as_text(d)
    _bounded(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _map(value: Any, *, attribute: Any) -> list[Any]:
    return [_attribute(item, attribute) for item in items_of(value)]


def _max(value: Any, case_sensitive: Any = False, attribute: Any = None) -> Any:
    return _extreme(max, value, case_sensitive, attribute)


def _min(value: Any, case_sensitive: Any = False, attribute: Any = None) -> Any:
    return _extreme(min, value, case_sensitive, attribute)


def _extreme(choose: Any, value: Any, case_sensitive: Any, attribute: Any) -> Any:
    items = items_of(value)
    if not items:
        return Missing("an empty list has neither 'min' nor 'max'")
    return choose(items, key=_key(case_sensitive, attribute))


def _replace(value: Any, old: Any, new: Any, count: Any = None) -> str:
    text, old, new = text_of(value), text_of(old), text_of(new)
    most = -1 if count is None else _whole(count, 0, MAX_OUTPUT)
    found = text.count(old) if most < 0 else min(text.count(old), most)
    _bounded(len(text) + found * (len(new) - len(old)))
    return text.replace(old, new, most)


def _round(value: Any, precision: Any = 0) -> float:
    return round(float(number_of(value)), _whole(precision, 0, 15))


def _sort(
    value: Any, reverse: Any = False, case_sensitive: Any = False, attribute: Any = None
) -> list[Any]:
    return sorted(items_of(value), key=_key(case_sensitive, attribute), reverse=bool(reverse))


def _sum(value: Any, attribute: Any = None, start: Any = 0) -> Any:
    return sum((number_of(_attribute(i, attribute)) for i in items_of(value)), number_of(start))


def _title(value: Any) -> str:
    words = re.split(r"([-\s({\[<]+)", text_of(value))
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def _trim(value: Any, chars: Any = None) -> str:
    return text_of(value).strip(chars)


def _truncate(
    value: Any, length: Any = 255, killwords: Any = False, end: Any = "...", leeway: Any = 5
) -> str:
    text, end = text_of(value), text_of(end)
    room = _whole(length, len(end), MAX_OUTPUT) - len(end)
    if len(text) <= room + len(end) + _whole(leeway, 0, MAX_OUTPUT):
        return text
    return (text[:room] if killwords else text[:room].rsplit(" ", 1)[0]) + end


def _unique(value: Any, case_sensitive: Any = False, attribute: Any = None) -> list[Any]:
    key = _key(case_sensitive, attribute)
    seen: dict[str, Any] = {}
    for item in items_of(value):
        seen.setdefault(canonical_json(key(item)), item)
    return list(seen.values())


def _is_divisible_by(value: Any, num: Any) -> bool:
    return number_of(value) % number_of(num) == 0


def _is_in(value: Any, seq: Any) -> bool:
    return value in seq


_FILTERS_WITHOUT_ARGUMENTS: Mapping[str, Callable[[Any], Any]] = {
    "abs": lambda value: abs(number_of(value)),
    "capitalize": lambda value: text_of(value).capitalize(),
    "count": lambda value: len(_sequence(value)),
    "first": lambda value: field_of(_sequence(value), 0, "what 'first' is given"),
    "items": _items,
    "last": lambda value: field_of(_sequence(value), -1, "what 'last' is given"),
    "length": lambda value: len(_sequence(value)),
    "list": lambda value: list(_sequence(value)),
    "lower": lambda value: text_of(value).lower(),
    "reverse": lambda value: _sequence(value)[::-1],
    "string": as_text,
    "title": _title,
    "tojson": canonical_json,
    "upper": lambda value: text_of(value).upper(),
    "wordcount": lambda value: len(re.findall(r"\w+", text_of(value))),
}

FILTERS: Mapping[str, Callable[..., Any]] = {
    **_FILTERS_WITHOUT_ARGUMENTS,
    "d": _default,
    "default": _default,
    "float": _float,
    "indent": _indent,
    "int": _int,
    "join": _join,
    "map": _map,
    "max": _max,
    "min": _min,
    "replace": _replace,
    "round": _round,
    "sort": _sort,
    "sum": _sum,
    "trim": _trim,
    "truncate": _truncate,
    "unique": _unique,
}

_TESTS_WITHOUT_ARGUMENTS: Mapping[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Missing),
    "even": lambda value: number_of(value) % 2 == 0,
    "false": lambda value: value is False,
    "float": lambda value: isinstance(value, float),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda value: isinstance(value, str | list | dict),
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "odd": lambda value: number_of(value) % 2 == 1,
    "sequence": lambda value: isinstance(value, str | list),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "undefined": lambda value: isinstance(value, Missing),
}

TESTS: Mapping[str, Callable[..., bool]] = {
    **_TESTS_WITHOUT_ARGUMENTS,
    "divisibleby": _is_divisible_by,
    "in": _is_in,
}

TAKES_MISSING = frozenset({"defined", "undefined", "default", "d"})
"""The filters and tests that accept a value that is not there."""
