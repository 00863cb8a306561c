"""A spec error is one line: where, what, and what to do about it.

Specs come from outside as raw JSON. Whatever is wrong with one ends up as a `SpecError`, never as a
pydantic report: its one line is the message of the ApplicationError that refuses the run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from forerun.speculation.canonical import canonical_json

SHOWN_CHARACTERS = 80
"""How much of an offending key or value a message repeats."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,79}")
_M = TypeVar("_M", bound=BaseModel)


class SpecError(ValueError):
    """What is wrong with a spec, in one line: `path: problem; fix: fix`.

    `path` leads to the offending place (`nodes.route.guess[0].value`), `value` is the offending key
    or value as `shown` in `problem`; empty where it is the whole of something.
    """

    def __init__(self, path: str, value: str, problem: str, fix: str) -> None:
        self.path = path
        self.value = value
        self.problem = problem
        self.fix = fix
        super().__init__(f"{path}: {problem}; fix: {fix}")


def shown(value: object) -> str:
    """`value` as a message repeats it: its first 80 characters, on one line."""
    text = repr(value[:SHOWN_CHARACTERS]) if isinstance(value, str) else _json(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def at(path: str, *segments: str | int) -> str:
    """`path` extended by keys and indices: `at("nodes", "route", "guess", 0)`."""
    for segment in segments:
        if isinstance(segment, str) and _PLAIN_KEY.fullmatch(segment):
            path = f"{path}.{segment}" if path else segment
        else:
            path = f"{path}[{shown(segment)}]"
    return path


def closest(word: object, known: Sequence[str], otherwise: str) -> str:
    """The fix for a misspelt `word`: the closest of `known`, or `otherwise`."""
    if not isinstance(word, str) or len(word) > SHOWN_CHARACTERS:
        return otherwise
    match = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {match[0]!r}?" if match else otherwise


def complaint(
    problem: str, fix: str, *, value: str = "", key: str | None = None
) -> PydanticCustomError:
    """What a validator of ours raises inside pydantic; `validated` turns it into a `SpecError`.

    `value` is the offending one as shown in `problem`; `key` leads to it from where it is raised.
    """
    context = {"problem": problem, "fix": fix, "value": value}
    return PydanticCustomError(
        "spec", "{problem}", context if key is None else {**context, "key": key}
    )


def unknown_key(key: str, known: Sequence[str], owner: str) -> PydanticCustomError:
    """The complaint about a key that `owner` does not have."""
    problem = f"unknown key {shown(key)} in {owner}"
    fix = closest(key, known, f"use one of {', '.join(known)}")
    return complaint(problem, fix, value=shown(key), key=key)


def validated(model: type[_M], raw: object, path: str = "") -> _M:
    """`raw` as a `model`.

    Raises:
        SpecError: it is none; the error names the first offending place under `path`.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
    raise _translated(details, path)


def _translated(details: ErrorDetails, path: str) -> SpecError:
    segments, context = _without_tags(details["loc"]), details.get("ctx", {})
    value = shown(segments[-1] if details["type"] == "missing" else details["input"])
    if segments[-1:] == ("[key]",):
        segments = segments[:-2]
    if details["type"] == "spec":
        segments = (*segments, context["key"]) if "key" in context else segments
        value, problem, fix = context["value"], context["problem"], context["fix"]
    else:
        problem, fix = _WORDS.get(details["type"], _OTHERWISE)(value, context)
    return SpecError(at(path, *segments) or "spec", value, problem, fix)


def _without_tags(loc: Sequence[int | str]) -> tuple[int | str, ...]:
    """`loc` as the author sees it: pydantic puts the chosen union member after each node and guess."""
    if loc[:1] != ("nodes",):
        return tuple(loc)
    return tuple(s for i, s in enumerate(loc) if i not in (2, 5) or s == "[key]")


def _json(value: object) -> str:
    try:
        text = canonical_json(value)[: SHOWN_CHARACTERS + 1]
    except (ValueError, RecursionError):
        text = type(value).__name__
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


_Words = Callable[[str, Mapping[str, Any]], tuple[str, str]]


def _says(problem: str, fix: str) -> _Words:
    return lambda value, ctx: (f"{value} {problem.format_map(ctx)}", fix.format_map(ctx))


_OTHERWISE = _says("is not valid here", "compare with `forerun schema`")
_OBJECT = _says("is not an object", "write a JSON object {{...}}")
_ARRAY = _says("is not a list", "write a JSON list [...]")
_TEXT = _says("is not text", "write a JSON string")
_WHOLE = _says("is not a whole number", "write a number without a decimal point")
_SHORT = _says("is too short", "give at least {min_length}")
_LONG = _says("is too long", "give at most {max_length}")

_WORDS: Mapping[str, _Words] = {
    "missing": lambda value, _: (f"the key {value} is missing", "add it"),
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "float_type": _says("is not a number", "write a JSON number"),
    "bool_type": _says("is neither true nor false", "write true or false"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "list_type": _ARRAY,
    "tuple_type": _ARRAY,
    "literal_error": _says("is not allowed here", "write {expected}"),
    "greater_than": _says("is too small", "give more than {gt}"),
    "greater_than_equal": _says("is too small", "give at least {ge}"),
    "less_than": _says("is too large", "give less than {lt}"),
    "less_than_equal": _says("is too large", "give at most {le}"),
    "string_too_short": _SHORT,
    "too_short": _SHORT,
    "string_too_long": _LONG,
    "too_long": _LONG,
    "string_pattern_mismatch": _says(
        "is not a name", "start with a-z and go on with a-z, 0-9 and _"
    ),
}
