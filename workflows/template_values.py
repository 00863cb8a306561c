"""What expressions in templates work on: JSON values, missing ones, and a budget of work.

The budget is the reason why templates are evaluated here and not compiled by Jinja2: a workflow task
that computes for two seconds counts as deadlocked and is tried again for ever, and nothing can stop
a compiled loop over a loop. All that a template does is paid for in steps, before it is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from forerun.speculation.canonical import canonical_json

MAX_OUTPUT = 256 * 1024
"""UTF-8 bytes that one node's templates may produce (design 4.12)."""

MAX_STEPS = 100_000
"""What one node's templates may do: at about 1 µs a step, a tenth of a second at the very worst."""

CHARACTERS_PER_STEP = 16


class EvaluationError(Exception):
    """Why an expression has no value; one line."""


@dataclass(frozen=True, slots=True)
class Missing:
    """No value. It can be tested and given a default; any other use fails with `why`."""

    why: str


class Work:
    """The steps left to the templates of one node in one rendering."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Pay for `steps`.

        Raises:
            EvaluationError: that is more than is left.
        """
        self._left -= steps
        if self._left < 0:
            raise EvaluationError(f"takes more than {MAX_STEPS:,} steps; loop over less")

    def touch(self, *values: Any) -> None:
        """Pay for looking at all of `values`: each item and every 16 characters is a step."""
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            self.spend(1)
            if isinstance(value, str):
                self.spend(len(value) // CHARACTERS_PER_STEP)
            elif isinstance(value, list | dict):
                # Paid before they are put in line: a list may hold one large list many times over.
                self.spend(len(cast("list[Any]", value)))
                waiting.extend(_contents(value))


def _contents(value: Any) -> list[Any]:
    return [*value.keys(), *value.values()] if isinstance(value, dict) else value


def described(value: Any) -> str:
    """What kind of thing `value` is, for messages; never its content."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value!r:.40}"
        case str():
            return f"a text of {len(value)} characters"
        case list():
            return f"a list of {len(cast('list[Any]', value))}"
        case dict():
            return "an object"
        case _:
            return type(value).__name__


def as_text(value: Any) -> str:
    """`value` as it stands inside a text: canonical JSON, unless it is text already."""
    return value if isinstance(value, str) else canonical_json(value)


def field_of(value: Any, key: Any, spelling: str) -> Any:
    """`value[key]`, for JSON values only; `spelling` is how the template writes `value`."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if isinstance(key, str) and key in fields:
            return fields[key]
        known = ", ".join(sorted(fields)[:10]) or "none"
        return Missing(f"{spelling} has no field {key!r:.80} (fields: {known:.200})")
    if isinstance(value, list | str) and isinstance(key, int) and not isinstance(key, bool):
        indexed = cast("list[Any]", value)
        if -len(indexed) <= key < len(indexed):
            return indexed[key]
        return Missing(f"{spelling} is {described(indexed)}, it has no item {key}")
    return Missing(f"{spelling} is {described(value)}, it has no field {key!r:.80}")


def items_of(value: Any) -> list[Any]:
    """What a loop goes over: the items of a list, the keys of an object.

    Keys are sorted: objects that are equal as canonical JSON must lead to equal calls, whatever
    order their keys came in.
    """
    if isinstance(value, list):
        return cast("list[Any]", value)
    if isinstance(value, dict):
        return sorted(cast("dict[str, Any]", value))
    raise EvaluationError(f"{described(value)} is not a list")


def number_of(value: Any) -> int | float:
    """`value`, if it is a number; true and false are none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise EvaluationError(f"{described(value)} is not a number")


def text_of(value: Any) -> str:
    """`value`, if it is text."""
    if isinstance(value, str):
        return value
    raise EvaluationError(f"{described(value)} is not text")
