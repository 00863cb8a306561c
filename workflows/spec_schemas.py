"""Output schemas in a spec: is it a JSON Schema, and does a guess fit it?

Both are answered inside a workflow task. So a schema may only refer to itself (nothing is fetched),
and the work is bounded: references that multiply each other, or a pattern that backtracks, would
hold the task beyond its two seconds, and Temporal would try it again for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator, SchemaError, ValidationError, validators
from pydantic_core import SchemaError as PatternError
from pydantic_core import SchemaValidator, core_schema
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from forerun.speculation.canonical import canonical_json
from forerun.workflows.spec_errors import SpecError, at, shown

MAX_PARTS = 5_000
"""Of all different schemas of a spec, in values: the meta-schema takes up to 0.2 ms for each."""

MAX_KEYWORDS = 50_000
"""Of all checks of guesses: one takes about 10 µs."""

_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class _OutOfWork(Exception):
    pass


class Schemas:
    """The checks of one spec, which share one allowance of work."""

    def __init__(self) -> None:
        self._parts = MAX_PARTS
        self._keywords = MAX_KEYWORDS
        self._sound: set[str] = set()
        keywords = {**_JSON_SCHEMA, **_BOUNDED}
        counting = {name: self._counting(keyword) for name, keyword in keywords.items()}
        self._validator = cast("Any", validators).extend(Draft202012Validator, counting)

    def check(self, schema: dict[str, Any], path: str) -> None:
        """Let a schema through that is one and refers to nothing but itself.

        Raises:
            SpecError: it is not, or there is too much of it.
        """
        text = canonical_json(schema)
        if text in self._sound:
            return
        self._parts -= sum(1 + len(inside) for _, inside in _inside(schema, path))
        if self._parts < 0:
            problem = f"the schemas up to here have more than {MAX_PARTS:,} parts"
            raise SpecError(path, "", problem, "make them smaller, or split the run")
        _check_sound(schema, path)
        _check_references(schema, path)
        self._sound.add(text)

    def problem(self, schema: dict[str, Any], value: Any) -> str | None:
        """Why `value` does not fit a checked schema; None if it does."""
        knows_nothing = cast("Any", Registry)()  # and so fetches nothing
        try:
            validator = self._validator(schema, registry=knows_nothing)
            error = next(validator.iter_errors(value), None)
        except (RecursionError, _OutOfWork):
            return "takes too long to check against the schema"
        except Unresolvable as missing:
            return f"meets a reference that leads nowhere ({shown(str(missing.ref))})"
        if error is None:
            return None
        where = at("", *error.absolute_path)
        return f"does not fit the schema ({where + ': ' if where else ''}{error.validator})"

    def _counting(self, keyword: _Keyword) -> _Keyword:
        def check(
            validator: Any, value: Any, instance: Any, schema: Any
        ) -> Iterator[ValidationError] | None:
            self._keywords -= 1 + (len(cast("Any", value)) if isinstance(value, list | dict) else 0)
            if self._keywords < 0:
                raise _OutOfWork
            return keyword(validator, value, instance, schema)

        return check


def _check_sound(schema: dict[str, Any], path: str) -> None:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where, value = at(path, *error.absolute_path), shown(error.instance)
        problem = f"{value} is not valid in a JSON Schema ({error.validator})"
        raise SpecError(where, value, problem, "see json-schema.org") from None
    except (RecursionError, OverflowError, ValueError):  # from the compiler of regular expressions
        problem = f"{shown(schema)} holds a pattern that is none"
        raise SpecError(path, shown(schema), problem, "simplify its patterns") from None


def _inside(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every object and list in a schema, by path; the depth of a spec is bounded, so this recurses."""
    if isinstance(value, dict | list):
        whole = cast("Any", value)
        yield path, whole
        for key, inner in whole.items() if isinstance(value, dict) else enumerate(whole):
            yield from _inside(inner, at(path, key))


def _check_references(schema: dict[str, Any], path: str) -> None:
    """Every reference must lead to a part of the same schema."""
    registry = _registry(schema, path)
    for where, inside in _inside(schema, path):
        for key in ("$ref", "$dynamicRef"):
            target = cast("Any", inside).get(key) if isinstance(inside, dict) else None
            if isinstance(target, str) and not _leads_somewhere(target, registry):
                problem = f"{shown(target)} leads to nothing in this schema"
                fix = "refer to a part of the same schema: '#/$defs/NAME'"
                raise SpecError(at(where, key), shown(target), problem, fix)


def _registry(schema: dict[str, Any], path: str) -> Registry[Any]:
    """It knows nothing but `schema`, and so fetches nothing."""
    resource: Resource[Any] = Resource.from_contents(schema, DRAFT202012)
    try:
        return Registry[Any]().with_resource("", resource).crawl()
    except ValueError:
        problem = f"{shown(schema)} has an $id that is no address"
        raise SpecError(path, shown(schema), problem, "leave $id out") from None


def _leads_somewhere(target: str, registry: Registry[Any]) -> bool:
    try:
        registry.resolver().lookup(target)
    except (Unresolvable, ValueError, TypeError):
        return False
    return target.startswith("#")


def _matches(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`, in linear time: by Rust's regex, which never backtracks.

    What that cannot express (look-around, back-references) counts as found: whether the guess is
    right shows when the node has answered.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python(text)
    except PatternError:
        return True


def _pattern(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _matches(value, instance):
        yield ValidationError("does not match the pattern")


def _pattern_properties(
    validator: Any, value: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    for pattern, inner in value.items() if isinstance(instance, dict) else ():
        for key, item in cast("dict[str, Any]", instance).items():
            if _matches(pattern, key):
                yield from validator.descend(item, inner, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, value: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    for key, item in cast("dict[str, Any]", instance if isinstance(instance, dict) else {}).items():
        patterns = schema.get("patternProperties", {})
        if key in schema.get("properties", {}) or any(_matches(p, key) for p in patterns):
            continue
        yield from validator.descend(item, value, path=key)


def _unique_items(
    validator: Any, value: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if value and isinstance(instance, list):
        items = [canonical_json(item) for item in cast("list[Any]", instance)]
        if len(set(items)) < len(items):
            yield ValidationError("has an item twice")


def _unchecked(validator: Any, value: Any, instance: Any, schema: Any) -> None:
    return None


_JSON_SCHEMA = cast("Mapping[str, _Keyword]", Draft202012Validator.VALIDATORS)
"""One draft, the one that replies are checked against, whatever `$schema` says."""

_BOUNDED: Mapping[str, _Keyword] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
    "unevaluatedItems": _unchecked,
    "unevaluatedProperties": _unchecked,
}
"""In place of the library's own, which backtrack, compare all pairs, or search twice."""
