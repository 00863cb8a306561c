"""Made-up answers in the form that the system text asks for, as a model would give them.

So a DAG with choices or schemas runs without a single rule. What a rule says stays what it says:
answers that break their form are for tests to ask for.
"""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any, cast

from forerun.activities.replies import CHOOSE, FIT
from forerun.workers.standin.asks import Ask
from forerun.workers.standin.replies import made_up

DEPTH = 20
"""Of nested values: a schema may refer to itself for ever."""


def obedient(ask: Ask) -> str | None:
    """A choice, or the JSON of a schema, that only the prompt decides; None if none is asked for."""
    rng = random.Random(hashlib.sha256(ask.user.encode()).digest())
    _, choose, choices = ask.system.rpartition(CHOOSE)
    if choose:
        return rng.choice(choices.split("\n"))
    _, fit, schema = ask.system.rpartition(FIT)
    return json.dumps(_Maker(json.loads(schema), rng).value()) if fit else None


class _Maker:
    """Makes values of one schema: of types, enums, properties and items, and not much else."""

    def __init__(self, schema: Any, rng: random.Random) -> None:
        self._whole = schema
        self._rng = rng

    def value(self) -> Any:
        """One that fits the whole schema, where that takes no more than what is read here."""
        return self._of(self._whole, DEPTH)

    def _of(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict) or not depth:
            return None
        found = cast("dict[str, Any]", schema)
        for name in ("enum", "anyOf", "oneOf"):
            if name in found:
                chosen = self._rng.choice(found[name])
                return chosen if name == "enum" else self._of(chosen, depth - 1)
        if "const" in found:
            return found["const"]
        if "$ref" in found:
            return self._of(self._part(found["$ref"]), depth - 1)
        return self._typed(found, depth)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kinds: Any = schema.get("type", "object" if "properties" in schema else "string")
        match cast("str", kinds[0] if isinstance(kinds, list) else kinds):
            case "object":
                properties = schema.get("properties", {})
                return {name: self._of(inner, depth - 1) for name, inner in properties.items()}
            case "array":
                count = max(schema.get("minItems", 0), min(schema.get("maxItems", 3), 3))
                return [self._of(schema.get("items"), depth - 1) for _ in range(count)]
            case "integer" | "number":
                low = schema.get("minimum", 0)
                return self._rng.randint(int(low), int(schema.get("maximum", low + 100)))
            case "boolean":
                return self._rng.random() < 0.5
            case "null":
                return None
            case _:
                return "".join(made_up(str(self._rng.random()), 3))

    def _part(self, reference: str) -> Any:
        """The part of the schema that `#/$defs/NAME` names."""
        part: Any = self._whole
        for key in reference.split("/")[1:]:
            part = cast("dict[str, Any]", part).get(key) if isinstance(part, dict) else None
        return part
