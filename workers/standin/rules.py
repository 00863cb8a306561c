"""The script of the stand-in: a list of rules, the first that matches a request speaks.

A bad list is refused as a whole, with one line that names the rule, the key and the fix, and the
rules in force stay in force.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from forerun.workers.standin.asks import Ask

Fault = Literal["429", "500", "reset", "truncate", "stall", "sse_error"]


class Rule(BaseModel):
    """What to say, how fast, and what to break, when a request matches.

    `match` is searched (`re.search`) in the last user message, `model` is a glob. `ttft_ms` and
    `tokens_per_second` are exact and replace the model's profile. `output_tokens` is the length of
    the visible reply. After `times` matches the rule is passed over. `reply` may only be missing
    where a `fault` makes the answer secondary.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    match: str
    model: str | None = None
    reply: Any = None
    ttft_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    tokens_per_second: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    output_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    fault: Fault | None = None
    times: int | None = Field(default=None, ge=1)

    @field_validator("match")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is no regular expression ({error})") from error
        return pattern

    @property
    def has_reply(self) -> bool:
        """Whether the rule scripts the reply; JSON null is a reply."""
        return "reply" in self.model_fields_set

    def matches(self, ask: Ask) -> bool:
        """Whether this rule speaks for `ask`."""
        named = self.model is None or fnmatchcase(ask.model, self.model)
        return named and self._pattern.search(ask.user) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Kept here: the cache of `re` forgets all but 512."""
        return re.compile(self.match)


class BadRules(ValueError):
    """A list of rules that is refused; the message is one line."""


class Script:
    """The rules in force and how often each may still speak."""

    def __init__(self) -> None:
        self._rules: tuple[Rule, ...] = ()
        self._left: list[int | None] = []

    def replace(self, rules: Sequence[Rule]) -> None:
        """Put `rules` in force; every count of `times` starts anew."""
        self._rules = tuple(rules)
        self._left = [rule.times for rule in rules]

    def take(self, ask: Ask) -> Rule | None:
        """The first rule that matches and may still speak; this uses up one of its `times`."""
        for index, rule in enumerate(self._rules):
            left = self._left[index]
            if left == 0 or not rule.matches(ask):
                continue
            self._left[index] = None if left is None else left - 1
            return rule
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """The rules as they were given."""
        return [rule.model_dump(mode="json", exclude_unset=True) for rule in self._rules]


def parse_rules(body: str | bytes) -> list[Rule]:
    """Read the JSON text of a list of rules.

    Raises:
        BadRules: it is no such list.
    """
    try:
        rules = _RULES.validate_json(body)
    except ValidationError as error:
        raise BadRules(_complaint(error)) from error
    for index, rule in enumerate(rules):
        if not rule.has_reply and rule.fault is None:
            raise BadRules(f"rules[{index}].reply: is missing; add the text or JSON to answer with")
    return rules


_RULES = TypeAdapter(list[Rule])

_FIXES = {
    "extra_forbidden": "is no key of a rule; remove it or use one of {keys}",
    "missing": "is missing; add it",
    "literal_error": "must be one of {expected}",
    "list_type": "must be a JSON list of rules",
    "model_type": "must be a JSON object with the keys of a rule",
}


def _complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    where = "rules" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]
    )
    fix = first["msg"].removeprefix("Value error, ")
    if kind in _FIXES:
        fix = _FIXES[kind].format(
            keys=", ".join(Rule.model_fields), expected=context.get("expected")
        )
    got = "" if kind in ("missing", "json_invalid") else f" (got {first['input']!r:.80})"
    return " ".join(f"{where}: {fix}{got}".split())
