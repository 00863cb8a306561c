"""Whether a guess may stand for the actual value: tiers 0 to 2. Tier 3 asks a model, elsewhere.

    0 consumed fields    1 canonical JSON    2 the same words and facts    3 similarity or judge

The law: when in doubt, different. Tiers 0 and 1 are lossless; above them a node must opt in, and an
output of choices or a schema is never compared there: nearly the right choice is the wrong one.

The surprise: the tiers are numbered by who may use them, not by strictness. Equal JSON is equal in
every field, so tier 1 is the answer where both hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from forerun.speculation.canonical import canonical, canonical_json
from forerun.speculation.text_gates import gates, same_wording

CONSUMED_FIELDS = 0
CANONICAL_JSON = 1
NORMALISED_TEXT = 2
SIMILARITY = 3

WHOLE = ("",)
"""The consumed fields of whoever uses all of a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """The tier at which a guess was right, None if at none of those asked for, and why.

    `undecided`: tier 3 is allowed and nothing stands against it, so a model may still find them same.
    """

    tier: int | None
    reason: str
    undecided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approximation:
    """The output of `node` is that of a call in which a guess stood for the output of `upstream`.

    `guess` and `label` name it as in the records; `tier` (2 or 3) and `by` say who found it the same.
    """

    node: str
    upstream: str
    guess: str
    label: str
    tier: int
    by: str


def equivalent(
    predicted: Any,
    actual: Any,
    *,
    highest: int,
    structured: bool,
    consumed: Sequence[str] | None = None,
) -> Equivalence:
    """Compare by the tiers up to `highest` (0 to 3); of a 3, what needs no model.

    `structured` says that the output is one of choices or JSON of a schema. `consumed` holds the
    JSON pointers of the fields that somebody uses; None stands for the whole value. Symmetric.

    Raises:
        ValueError: a value that JSON cannot hold.
    """
    if highest >= CANONICAL_JSON and same_json(predicted, actual):
        return Equivalence(tier=CANONICAL_JSON, reason="the same JSON")
    if same_fields(predicted, actual, WHOLE if consumed is None else consumed):
        return Equivalence(tier=CONSUMED_FIELDS, reason="the same in every field that is used")
    if highest < NORMALISED_TEXT:
        return Equivalence(tier=None, reason="different JSON")
    if structured or not (isinstance(predicted, str) and isinstance(actual, str)):
        return Equivalence(tier=None, reason="different JSON, and no free text")
    if same_wording(predicted, actual):
        return Equivalence(tier=NORMALISED_TEXT, reason="the same words and facts")
    objection = gates(predicted, actual)
    return Equivalence(
        tier=None,
        reason=objection or "different wording",
        undecided=objection is None and highest >= SIMILARITY,
    )


def same_fields(predicted: Any, actual: Any, consumed: Sequence[str]) -> bool:
    """Whether two values agree in all `consumed` fields, JSON pointers: `/order/items/0`.

    A field that both lack is the same. With nothing consumed, anything is.
    """
    one, other = canonical(predicted), canonical(actual)
    return all(_same_field(one, other, canonical(pointer)) for pointer in consumed)


def same_json(predicted: Any, actual: Any) -> bool:
    """Whether two values have the same canonical JSON."""
    return canonical_json(predicted) == canonical_json(actual)


def _same_field(predicted: Any, actual: Any, pointer: str) -> bool:
    here, there = _at(predicted, pointer), _at(actual, pointer)
    if here is _ABSENT or there is _ABSENT:
        return here is there
    return same_json(here, there)


def _at(value: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get(key, _ABSENT)
        elif isinstance(value, list) and _INDEX.fullmatch(key):
            items = cast("list[Any]", value)
            value = items[int(key)] if int(key) < len(items) else _ABSENT
        else:
            return _ABSENT
    return value


_ABSENT = object()
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
