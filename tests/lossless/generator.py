"""Random specs from a seed: chains, fans, diamonds, layers and tangles of 2 to 12 nodes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from forerun.speculation.canonical import canonical_json
from tests.lossless.case import Case, PolicyChange
from tests.lossless.kinds import Drawn, Kinds, Reference
from tests.lossless.rules import Rulebook

SHAPES = ("chain", "fan", "diamond", "layers", "tangle", "tangle", "tangle")
OTHER_FIELDS = ("sources", "by", "n", "topic")


def generate(seed: int) -> Case:
    """The case of a seed; the same seed always gives the same case."""
    return _Generator(seed).case()


class _Generator:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rng = rng = random.Random(seed)
        rulebook = Rulebook(rng, faults=rng.choice([0, 0, 1, 2]))
        self._topic = rng.choice(["the tax", "a plan", "login"])
        self._kinds = kinds = Kinds(rng, rulebook, self._topic)
        self._shape = rng.choice(SHAPES)
        self._nodes: list[Drawn] = []
        self._makers = [kinds.choice] * 4 + [kinds.text] * 4 + [kinds.echo] * 3
        self._makers += [kinds.search] * 2 + [kinds.toll] * 2

    def case(self) -> Case:
        for index in range(self._rng.randint(2, 12)):
            self._nodes.append(self._node(index))
        return Case(
            seed=self._seed,
            spec={
                "version": 1,
                "workload": "lossless",
                "policy": self._policy(),
                "input": {"topic": self._topic, "who": "ann@example.com"},
                "nodes": {node.name: node.spec for node in self._nodes},
            },
            rules=[rule for node in self._nodes for rule in node.rules],
            manners={node.name: node.manner for node in self._nodes if node.manner},
            changes=self._changes(),
        )

    def _chance(self, p: float) -> bool:
        return self._rng.random() < p

    def _policy(self) -> dict[str, Any]:
        rng = self._rng
        if self._chance(0.3):  # whatever could pay is tried
            return {"alpha": 1, "usd_per_second": 10, "budget_usd": 20}
        policy: dict[str, Any] = {
            "alpha": rng.choice(["0", "0.5", "0.9", "1"]),
            "usd_per_second": rng.choice(["0.001", "0.05", "0.3", "1", "10"]),
            "budget_usd": rng.choice(["0.0008", "0.0015", "0.003", "0.006", "0.02", "1"]),
            "max_depth": rng.randint(1, 3),
            "max_breadth": rng.randint(1, 3),
        }
        if self._chance(0.1):
            policy["p_bound"] = rng.choice(["0.05", "0.2"])
        return policy

    def _changes(self) -> list[PolicyChange]:
        """Now and then somebody turns the dials of the live run."""
        rng = self._rng
        updates = [
            {"budget_usd": "0"},
            {"budget_usd": rng.choice(["0.001", "0.05", "5"])},
            {"alpha": rng.choice(["0", "1"])},
            {"usd_per_second": rng.choice(["0", "3"])},
        ]
        return [
            PolicyChange(after_seconds=round(rng.uniform(0, 1.2), 3), update=rng.choice(updates))
            for _ in range(rng.choice([0, 0, 0, 0, 1, 2]))
        ]

    def _node(self, index: int) -> Drawn:
        name = f"n{index}"
        if self._nodes and self._chance(0.06):
            return _twin(name, self._rng.choice(self._nodes))
        upstream = self._upstream(index)
        refs = [self._reference(node) for node in upstream]
        effect = index > 0 and self._chance(0.1)
        drawn = (self._kinds.effect if effect else self._rng.choice(self._makers))(name, refs)
        self._maybe_when(drawn, upstream)
        drawn.may_be_absent |= "when" in drawn.spec or any(n.may_be_absent for n in upstream)
        if not effect:
            self._maybe_guess(drawn)
            self._maybe_estimate(drawn)
            if self._chance(0.06):
                drawn.spec["speculate"] = False
            if self._chance(0.1):
                drawn.spec["equivalence"] = self._rng.choice([0, 1])  # beyond, answers may differ
        return drawn

    def _upstream(self, index: int) -> list[Drawn]:
        nodes, rng = self._nodes, self._rng
        if not nodes:
            return []
        match self._shape:
            case "chain":
                return [nodes[-1]]
            case "fan":
                return [nodes[0]] if index < 8 else rng.sample(nodes, 3)
            case "diamond":
                return nodes[-2:] if index % 3 == 0 else [nodes[(index - 1) // 3 * 3]]
            case "layers":
                layer = nodes[max(0, (index // 3 - 1) * 3) : max(1, index // 3 * 3)]
                return rng.sample(layer, rng.randint(1, len(layer)))
            case _:
                near = nodes[-4:] if self._chance(0.7) else nodes
                return rng.sample(near, min(rng.choice([0, 1, 1, 1, 1, 2, 2, 2, 3]), len(near)))

    def _reference(self, node: Drawn) -> Reference:
        """A field of a node; where the node may be skipped, mostly one that tolerates that."""
        expression = self._rng.choice(list(node.fields))
        values = node.fields[expression]
        if self._chance(0.6 if node.may_be_absent else 0.1):
            tolerant = f"({expression}) if {node.name} is defined else '-'"
            return Reference(node, tolerant, [*values, "-"])
        return Reference(node, expression, values)

    def _maybe_when(self, drawn: Drawn, upstream: Sequence[Drawn]) -> None:
        if not upstream or not self._chance(0.22):
            return
        other = self._rng.choice(upstream)
        defined, test = f"{other.name} is defined", self._rng.choice(other.tests)
        tolerant = defined in canonical_json(drawn.spec)
        drawn.spec["when"] = (
            f"{{{{ {defined} and ({test}) }}}}" if tolerant else f"{{{{ {test} }}}}"
        )

    def _maybe_estimate(self, drawn: Drawn) -> None:
        rng, estimate = self._rng, dict[str, Any]()
        if self._chance(0.4):
            estimate["seconds"] = rng.choice([0, 0.05, 0.2, 0.5, 1, 3])
        if "model" in drawn.spec and self._chance(0.2):
            estimate["output_tokens"] = rng.choice([1, 10, 100, 2000])
            estimate["input_tokens"] = rng.choice([1, 50, 5000])
        if estimate:
            drawn.spec["estimate"] = estimate

    def _maybe_guess(self, drawn: Drawn) -> None:
        left, guesses, seen = Decimal(1), list[dict[str, Any]](), set[str]()
        for _ in range(self._rng.choice([0, 1, 1, 1, 2, 3])):
            p = Decimal(self._rng.choice(["0.1", "0.3", "0.5", "0.8", "0.95"]))
            guess = self._guess(drawn)
            said = canonical_json(guess)
            if p <= left and said not in seen:
                seen.add(said)
                left -= p
                guesses.append({**guess, "p": str(p)})
        if guesses:
            drawn.spec["guess"] = guesses

    def _guess(self, drawn: Drawn) -> dict[str, Any]:
        others = [node.name for node in self._nodes if not node.effect]
        if others and self._chance(0.25):
            return {"from": "node", "node": self._rng.choice(others)}
        value = drawn.values[0] if self._chance(0.6) else self._rng.choice(drawn.values)
        if isinstance(value, dict) and self._chance(0.4):
            fields = cast("dict[str, Any]", value)
            value = {**fields, self._rng.choice(OTHER_FIELDS): ["other"]}
        elif "choices" not in drawn.spec and isinstance(value, str) and self._chance(0.15):
            value = f"{value} {self._kinds.word()}"
        return {"from": "value", "value": value}


def _twin(name: str, other: Drawn) -> Drawn:
    """The very same call once more: what one of the two has started, the other may claim."""
    return replace(
        other,
        name=name,
        spec=dict(other.spec),
        fields={text.replace(other.name, name): values for text, values in other.fields.items()},
        tests=[test.replace(other.name, name) for test in other.tests],
        rules=[],
    )
