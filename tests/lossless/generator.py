"""Random specs from a seed: chains, fans, diamonds, layers and tangles of 2 to 12 nodes.

Each may be a `for_each` over a list of another; so there are more calls than nodes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from forerun.speculation.canonical import canonical_json
from tests.lossless.case import Case, PolicyChange
from tests.lossless.drawn import Drawn, Reference, Words
from tests.lossless.fans import Fans, Listed
from tests.lossless.guesses import Guesser
from tests.lossless.kinds import Kinds
from tests.lossless.rules import Rulebook

SHAPES = ("chain", "fan", "diamond", "layers", "tangle", "tangle", "tangle")


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
        self._fans = Fans(rng, kinds)
        self._guesser = Guesser(rng, rulebook, kinds)
        self._shape = rng.choice(SHAPES)
        self._words = kinds.items()
        self._nodes: list[Drawn] = []
        self._makers = [kinds.choice] * 4 + [kinds.text] * 4 + [kinds.echo] * 3
        self._makers += [kinds.search] * 2 + [kinds.toll] * 2 + [kinds.plan] * 2 + [kinds.brief] * 2

    def case(self) -> Case:
        for index in range(self._rng.randint(2, 12)):
            self._nodes.append(self._node(index))
        return Case(
            seed=self._seed,
            spec={
                "version": 1,
                # What a worker has learned from the runs of another seed says nothing here.
                "workload": f"lossless-{self._seed}",
                "policy": self._policy(),
                "input": {"topic": self._topic, "who": "ann@example.com", "words": self._words},
                "nodes": {node.name: node.spec for node in self._nodes},
            },
            rules=[rule for node in self._nodes for rule in node.rules],
            manners={name: m for node in self._nodes for name, m in node.intents.items()},
            changes=self._changes(),
        )

    def _chance(self, p: float) -> bool:
        return self._rng.random() < p

    def _policy(self) -> dict[str, Any]:
        rng = self._rng
        if self._chance(0.5):  # whatever could pay is tried
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
            return self._rng.choice(self._nodes).twin(name)
        upstream = self._upstream(index)
        drawn = self._drawn(name, upstream, effect=index > 0 and self._chance(0.12))
        self._maybe_when(drawn, upstream)
        drawn.may_be_absent |= "when" in drawn.spec or any(n.may_be_absent for n in upstream)
        if not drawn.effect:
            self._guesser.guess(drawn, [node.name for node in self._nodes if not node.effect])
            self._maybe_estimate(drawn)
            if self._chance(0.06):
                drawn.spec["speculate"] = False
            if self._chance(0.1):
                drawn.spec["equivalence"] = self._rng.choice([0, 1])  # beyond, answers may differ
        return drawn

    def _drawn(self, name: str, upstream: Sequence[Drawn], *, effect: bool) -> Drawn:
        """A node of any kind, of a list or not."""
        listed = self._listed(upstream)
        refs = [self._reference(n) for n in upstream if not (listed and self._chance(0.5))]
        if listed:
            return (self._fans.effects if effect else self._fans.calls)(name, listed, refs)
        words = Words.of(self._rng, refs) if refs else self._kinds.words()
        return (self._kinds.effect if effect else self._rng.choice(self._makers))(name, words)

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

    def _listed(self, upstream: Sequence[Drawn]) -> Listed | None:
        """A list of one of these nodes, that of the input, or now and then what is no list."""
        node = next((node for node in upstream if node.listings), None)
        if node and self._chance(0.45):
            listing = self._rng.choice(node.listings)
            return Listed.of(node, listing, tolerant=self._tolerant(node))
        if self._chance(0.06):
            return Listed(expression="input.words", values=[self._words])
        if upstream and self._chance(0.02):
            return Listed(expression=self._reference(upstream[0]).expression, values=[[]])
        return None

    def _reference(self, node: Drawn) -> Reference:
        view = self._rng.choice(node.views)
        return Reference.to(node, view, tolerant=self._tolerant(node))

    def _tolerant(self, node: Drawn) -> bool:
        """Where a node may be skipped, what reads it mostly tolerates that."""
        return self._chance(0.6 if node.may_be_absent else 0.1)

    def _maybe_when(self, drawn: Drawn, upstream: Sequence[Drawn]) -> None:
        if not upstream or "when" in drawn.spec or not self._chance(0.22):
            return
        other = self._rng.choice(upstream)
        defined = f"{other.name} is defined"
        test = self._rng.choice(other.tests).format(other.name)
        tolerant = defined in canonical_json(drawn.spec)
        drawn.spec["when"] = (
            f"{{{{ {defined} and ({test}) }}}}" if tolerant else f"{{{{ {test} }}}}"
        )

    def _maybe_estimate(self, drawn: Drawn) -> None:
        rng, estimate = self._rng, dict[str, Any]()
        if any(guess["from"] == "stream" for guess in drawn.spec.get("guess", ())):
            estimate["seconds"] = rng.choice([0.5, 2, 5])  # it takes as long as it streams
        elif self._chance(0.4):
            estimate["seconds"] = rng.choice([0, 0.05, 0.2, 0.5, 1, 3])
        if "model" in drawn.spec and self._chance(0.2):
            estimate["output_tokens"] = rng.choice([1, 10, 100, 2000])
            estimate["input_tokens"] = rng.choice([1, 50, 5000])
        if estimate:
            drawn.spec["estimate"] = estimate
