"""What a reply must look like, how a model is told, and what is made of the reply. Pure functions.

The law: the prompt is sent as its author wrote it; what we add goes into the system text, and is
the same text for the same node, always. Providers have stricter ways to ask for JSON, each its own;
a sentence works with all of them, and the reply is checked in any case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from forerun.speculation.canonical import canonical, canonical_json

CHOOSE = "Answer with exactly one of these lines, as it stands, and nothing else:\n"
"""What precedes the choices, one per line, at the end of the system text."""

FIT = (
    "Answer with one JSON value and nothing else: no explanation, no code fence. "
    "The value must be valid under this JSON Schema:\n"
)
"""What precedes the schema, in one line, at the end of the system text."""


class InvalidReply(ValueError):
    """The reply is none of the choices, or not JSON of the schema. Never quotes the reply."""


class UnusableSchema(ValueError):
    """The schema itself cannot be applied."""


def system_text(
    system: str | None, choices: Sequence[str] | None, schema: dict[str, Any] | None
) -> str | None:
    """The author's system text, and below it what the reply must look like; None for neither."""
    parts = [part for part in (system, _instruction(choices, schema)) if part]
    return "\n\n".join(parts) or None


def parse_reply(text: str, choices: Sequence[str] | None, schema: dict[str, Any] | None) -> Any:
    """The output that a reply stands for, canonical: a choice, JSON of the schema, or the text.

    Raises:
        InvalidReply: it is none.
        UnusableSchema: nobody can tell.
    """
    if choices is not None:
        return _choice(text, choices)
    if schema is not None:
        return _json(text, schema)
    return canonical(text)


def read_json(text: str) -> Any:
    """The canonical value of a JSON text.

    Raises:
        InvalidReply: it is none.
    """
    try:
        return canonical(json.loads(text, parse_constant=_no_number))
    except (ValueError, RecursionError):
        raise InvalidReply(f"{len(text)} characters that are not one JSON value") from None


def output_bytes(output: Any) -> int:
    """Size of an output in UTF-8.

    Raises:
        InvalidReply: half a surrogate pair, which JSON can spell and nobody can store.
    """
    try:
        return len(canonical_json(output).encode())
    except UnicodeEncodeError:
        raise InvalidReply("it holds text that is not valid Unicode") from None


def _instruction(choices: Sequence[str] | None, schema: dict[str, Any] | None) -> str | None:
    if choices is not None:
        return CHOOSE + "\n".join(choices)
    return None if schema is None else FIT + canonical_json(schema)


def _choice(text: str, choices: Sequence[str]) -> str:
    spelled = {canonical(choice).strip(): canonical(choice) for choice in choices}
    chosen = spelled.get(canonical(text).strip())
    if chosen is None:
        raise InvalidReply(f"{len(text)} characters that are none of the {len(choices)} choices")
    return chosen


def _json(text: str, schema: dict[str, Any]) -> Any:
    value = read_json(text)
    problem = _first_problem(value, schema)
    if problem is not None:
        raise InvalidReply(problem)
    return value


def _first_problem(value: Any, schema: dict[str, Any]) -> str | None:
    try:
        Draft202012Validator.check_schema(schema)
        # An empty registry: a `$ref` to somewhere else must not make this worker fetch it.
        validator: Any = Draft202012Validator(schema, registry=Registry())
        error = next(validator.iter_errors(value), None)
    except (SchemaError, Unresolvable, re.error, RecursionError) as problem:
        raise UnusableSchema(f"{type(problem).__name__}: mend the schema of this node") from None
    if error is None:
        return None
    # Where in the schema, not where in the reply: its keys may repeat the prompt.
    return f"JSON that breaks {'/'.join(map(str, error.absolute_schema_path))} of its schema"


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
