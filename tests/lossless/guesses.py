"""How the nodes of a case are guessed: rightly often, and wrongly in many ways."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any, cast

from forerun.speculation.canonical import canonical_json
from forerun.workflows.spec import parse_spec, unsupported_features
from tests.lossless.drawn import Drawn
from tests.lossless.kinds import Kinds
from tests.lossless.rules import NO_OUTPUT, Rulebook

CHEAP = "openai:sim-small"
OTHER_FIELDS = ("sources", "by", "n", "topic")


class Guesser:
    """Draws the guesses for nodes of one case."""

    def __init__(self, rng: random.Random, rulebook: Rulebook, kinds: Kinds) -> None:
        self._rng = rng
        self._rulebook = rulebook
        self._kinds = kinds

    def guess(self, drawn: Drawn, others: Sequence[str]) -> None:
        """Give a node some guesses, or none; `others` are nodes whose output it may repeat."""
        left, guesses, seen = Decimal(1), list[dict[str, Any]](), set[str]()
        for _ in range(self._rng.choice([0, 1, 1, 1, 2, 3])):
            p = Decimal(self._rng.choice(["0.1", "0.3", "0.5", "0.8", "0.95"]))
            guess = self._from_node(others) or self._value(drawn)
            said = canonical_json(guess)
            if p <= left and said not in seen:
                seen.add(said)
                left -= p
                guesses.append({**guess, "p": str(p)})
        guesses += self._streamed(drawn)
        guesses += self._bought(drawn, left)
        self._rng.shuffle(guesses)
        if guesses:
            drawn.spec["guess"] = guesses

    def _from_node(self, others: Sequence[str]) -> dict[str, Any] | None:
        if not others or self._rng.random() < 0.75:
            return None
        return {"from": "node", "node": self._rng.choice(others)}

    def _value(self, drawn: Drawn) -> dict[str, Any]:
        value = drawn.values[0] if self._rng.random() < 0.7 else self._rng.choice(drawn.values)
        if "choices" not in drawn.spec or "for_each" in drawn.spec:
            value = self._altered(value, drawn)
        return {"from": "value", "value": value}

    def _altered(self, value: Any, drawn: Drawn) -> Any:
        """A value that is another one, now and then: in a field that somebody reads, or nobody."""
        if isinstance(value, list):
            return self._other_list(cast("list[Any]", value))
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            if self._rng.random() < 0.6:
                return fields
            if "schema" not in drawn.spec:
                return {**fields, self._rng.choice(OTHER_FIELDS): ["other"]}
            changes = {"note": self._kinds.word(), "items": self._other_list(fields["items"])}
            key = self._rng.choice([*changes])
            return {**fields, key: changes[key]}
        return f"{value} {self._kinds.word()}" if self._rng.random() < 0.15 else value

    def _other_list(self, items: list[Any]) -> list[Any]:
        """Right, too short, too long, or right in part."""
        match self._rng.randint(0, 7):
            case 0:
                return items[:-1]
            case 1:
                return [*items, self._rng.choice([*items, self._kinds.word()])]
            case 2 if items:
                index = self._rng.randrange(len(items))
                return [*items[:index], self._kinds.word(), *items[index + 1 :]]
            case 3:
                return items[1:]
            case _:
                return items

    def _streamed(self, drawn: Drawn) -> list[dict[str, Any]]:
        """Of a choice, or of a form: of its fields, one or all."""
        form = drawn.spec.get("schema", {}).get("properties")
        if not (form or "choices" in drawn.spec) or self._rng.random() < 0.4:
            return []
        guess: dict[str, Any] = {"from": "stream"}
        if form and self._rng.random() < 0.5:
            guess["field"] = self._rng.choice([*form])
        if self._rng.random() < 0.2:
            guess["p"] = self._rng.choice(["0.5", "0.9"])
        return [guess]

    def _bought(self, drawn: Drawn, left: Decimal) -> list[dict[str, Any]]:
        """Answers of a cheaper model, as soon as the engine buys any."""
        model = drawn.spec.get("model", CHEAP)
        if model == CHEAP or "for_each" in drawn.spec or self._rng.random() < 0.6 or not can_buy():
            return []
        k = self._rng.randint(1, 3)
        answers = [*drawn.values, drawn.values[0], NO_OUTPUT]
        said = [self._rng.choice(answers) for _ in range(k)]
        drawn.rules[:0] = self._rulebook.sell(drawn.name, CHEAP, said)
        guess: dict[str, Any] = {"from": "model", "model": CHEAP, "k": k}
        if left >= Decimal("0.3") and self._rng.random() < 0.5:
            guess["p"] = "0.3"
        return [guess]


@cache
def can_buy() -> bool:
    """Whether the engine runs guesses of cheaper models."""
    node = {"model": "openai:sim-mid", "prompt": "?", "guess": [{"from": "model", "model": CHEAP}]}
    return unsupported_features(parse_spec({"version": 1, "nodes": {"n": node}})) is None
