"""What may stand in a spec: the single values, and the JSON object that holds them.

Nothing is coerced and nothing unknown is let through. Numbers that enter a decision are Decimals,
and a JSON number enters through its text, so 0.1 is 0.1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from forerun.speculation.canonical import canonical
from forerun.speculation.quantities import ZERO, number
from forerun.workflows.spec_errors import complaint, shown, unknown_key

PROVIDERS = ("openai", "anthropic")


class SpecModel(BaseModel):
    """A JSON object of the spec: nothing is coerced, nothing unknown is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _has_known_keys(cls, raw: Any) -> Any:
        """Unknown keys are named before missing ones: mostly they are the same key, misspelt."""
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in cast("dict[Any, Any]", raw if isinstance(raw, dict) else {}):
            if key not in known:
                raise unknown_key(key, known, f"this {cls.model_config.get('title')}")
        return cast("Any", raw)


def object_of(raw: Any, example: str) -> dict[str, Any]:
    """`raw`, if it is a JSON object; otherwise the complaint shows `example`."""
    if isinstance(raw, dict):
        return cast("dict[str, Any]", raw)
    raise _wrong(raw, "is not an object", f"write {example}")


def _wrong(value: object, problem: str, fix: str) -> PydanticCustomError:
    return complaint(f"{shown(value)} {problem}", fix, value=shown(value))


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(value, "is not a number", 'write a number, such as 0.5 or "0.50"')
    try:
        result = number(value)
    except ValueError:
        raise _wrong(value, "is not a number", 'write digits, such as "0.50"') from None
    if not result:
        return ZERO
    if result.adjusted() > 12 or int(result.as_tuple().exponent) < -18:
        raise _wrong(value, "has too many digits", "give at most 18 decimal places")
    return result


def _model_name(value: str) -> str:
    provider, _, name = value.partition(":")
    if provider not in PROVIDERS or not name or any(map(str.isspace, name)):
        fix = "write openai:NAME or anthropic:NAME"
        raise _wrong(value, "names no known provider and model", fix)
    return value


def _choice(value: str) -> str:
    if not value or value != value.strip():
        raise _wrong(value, "is empty or has space around it", "trim it")
    return canonical(value)


Number = Annotated[Decimal, BeforeValidator(_decimal)]
Probability = Annotated[Number, Field(gt=0, lt=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
ModelName = Annotated[
    str,
    AfterValidator(_model_name),
    Field(
        description="openai:NAME or anthropic:NAME",
        json_schema_extra={"pattern": r"^(openai|anthropic):\S+$"},
    ),
]
Text = Annotated[str, Field(min_length=1)]
Choices = Annotated[
    tuple[Annotated[str, AfterValidator(_choice)], ...],
    Field(strict=False, fail_fast=True, min_length=1),
]
