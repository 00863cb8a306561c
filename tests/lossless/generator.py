"""Random specs from a seed.

Nodes are drawn in order, each on top of earlier ones. Every node keeps a pool of values that it may
come to have, so that guesses are right often enough. What a model says depends on its prompt alone:
its rules tell prompts apart by how many of some letter they hold, so a call on a wrong guess mostly
has another answer than the true one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from forerun.activities.builtin_tools import KbSearch, kb_search
from forerun.speculation.canonical import canonical_json
from tests.lossless.case import Case, Manner, PolicyChange

WORDS = (
    "billing bug sales refund invoice login export trial discount account privacy charge plan "
    "upgrade browser timeout report price tax deletion"
).split()
LETTERS = "aeionrt"
MODELS = ("openai:sim-small", "openai:sim-mid", "anthropic:sim-mid", "anthropic:sim-large")
TRANSIENT = ("429", "500", "reset", "truncate", "sse_error")
POOL = 4


@dataclass(slots=True, kw_only=True)
class Drawn:
    """A node drawn so far. `fields` are expressions that read it, with what each may yield."""

    name: str
    spec: dict[str, Any]
    pool: list[Any]
    fields: dict[str, list[str]]
    tests: list[str]
    may_be_absent: bool = False
    rules: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def effect(self) -> bool:
        return "effect" in self.spec


def generate(seed: int) -> Case:
    """The case of a seed; the same seed always gives the same case."""
    return _Generator(seed).case()


class _Generator:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rng = random.Random(seed)
        self._nodes: list[Drawn] = []
        self._manners: dict[str, Manner] = {}
        self._faults_left = self._rng.choice([0, 0, 1, 2])
        self._shape = self._rng.choice(["chain", "fan", "diamond", "layers", "any", "any", "any"])

    def case(self) -> Case:
        for index in range(self._rng.randint(2, 12)):
            self._nodes.append(self._node(index))
        spec = {
            "version": 1,
            "workload": "lossless",
            "policy": self._policy(),
            "input": {"topic": self._word(), "who": "ann@example.com"},
            "nodes": {node.name: node.spec for node in self._nodes},
        }
        return Case(
            seed=self._seed,
            spec=spec,
            rules=[rule for node in self._nodes for rule in node.rules],
            manners=self._manners,
            changes=self._changes(),
        )

    def _chance(self, p: float) -> bool:
        return self._rng.random() < p

    def _word(self) -> str:
        return self._rng.choice(WORDS)

    def _policy(self) -> dict[str, Any]:
        rng = self._rng
        policy: dict[str, Any] = {
            "alpha": rng.choice(["0", "0.3", "0.5", "0.9", "1"]),
            "usd_per_second": rng.choice(["0.0001", "0.01", "0.1", "1", "10"]),
            "budget_usd": rng.choice(["0.0003", "0.005", "0.02", "0.1", "1", "20"]),
            "max_depth": rng.randint(1, 3),
            "max_breadth": rng.randint(1, 3),
        }
        if self._chance(0.1):
            policy["p_bound"] = rng.choice(["0.05", "0.2"])
        return policy

    def _changes(self) -> list[PolicyChange]:
        rng = self._rng
        if not self._chance(0.2):
            return []
        updates = [
            {"budget_usd": "0"},
            {"budget_usd": rng.choice(["0.001", "0.05", "5"])},
            {"alpha": rng.choice(["0", "1"])},
            {"usd_per_second": rng.choice(["0", "3"])},
        ]
        return [
            PolicyChange(after_seconds=round(rng.uniform(0.05, 1.2), 3), update=rng.choice(updates))
            for _ in range(rng.randint(1, 2))
        ]

    # --- one node

    def _node(self, index: int) -> Drawn:
        if self._nodes and self._chance(0.06):
            return self._twin(index, self._rng.choice(self._nodes))
        name, upstream = f"n{index}", self._upstream(index)
        kinds = ["choice"] * 3 + ["text"] * 3 + ["echo"] * 3 + ["kb"] * 2 + ["toll"]
        if index > 0:
            kinds += ["effect"] * 2
        kind = self._rng.choice(kinds)
        refs = [self._reference(node) for node in upstream]
        drawn = getattr(self, f"_{kind}")(name, refs)
        self._maybe_when(drawn, upstream)
        drawn.may_be_absent = (
            drawn.may_be_absent
            or "when" in drawn.spec
            or any(node.may_be_absent for node in upstream)
        )
        if not drawn.effect:
            self._maybe_guess(drawn)
            if self._chance(0.08):
                drawn.spec["speculate"] = False
        self._maybe_estimate(drawn)
        return drawn

    def _twin(self, index: int, other: Drawn) -> Drawn:
        """The very same call under another name."""
        name = f"n{index}"
        spec = {**other.spec}
        if other.effect:
            self._manners[name] = self._manners[other.name]
        tests = [test.replace(other.name, name) for test in other.tests]
        fields = {text.replace(other.name, name): values for text, values in other.fields.items()}
        return Drawn(
            name=name,
            spec=spec,
            pool=other.pool,
            fields=fields,
            tests=tests,
            may_be_absent=other.may_be_absent,
        )

    def _upstream(self, index: int) -> list[Drawn]:
        nodes, rng = self._nodes, self._rng
        if not nodes:
            return []
        match self._shape:
            case "chain":
                return [nodes[-1]]
            case "fan":
                return [nodes[0]] if index < 8 or self._chance(0.5) else rng.sample(nodes, 3)
            case "diamond":
                return nodes[-2:] if index % 3 == 0 else [nodes[(index - 1) // 3 * 3]]
            case "layers":
                layer = nodes[max(0, (index // 3 - 1) * 3) : max(1, index // 3 * 3)]
                return rng.sample(layer, rng.randint(1, len(layer)))
            case _:
                count = min(rng.choice([0, 1, 1, 1, 1, 2, 2, 2, 3]), len(nodes))
                recent = nodes[-4:] if self._chance(0.7) else nodes
                return rng.sample(recent, min(count, len(recent)))

    def _reference(self, node: Drawn) -> tuple[Drawn, str, list[str]]:
        """An expression for one field of a node, and its likely values."""
        expression = self._rng.choice(list(node.fields))
        values = node.fields[expression]
        if self._chance(0.6 if node.may_be_absent else 0.1):
            return node, f"({expression}) if {node.name} is defined else '-'", [*values, "-"]
        return node, expression, values

    def _maybe_when(self, drawn: Drawn, upstream: Sequence[Drawn]) -> None:
        if not upstream or not self._chance(0.22):
            return
        other = self._rng.choice(upstream)
        test = self._rng.choice(other.tests)
        guarded = any(f"{other.name} is defined" in text for text in _texts(drawn.spec))
        drawn.spec["when"] = (
            f"{{{{ {other.name} is defined and ({test}) }}}}" if guarded else f"{{{{ {test} }}}}"
        )

    def _maybe_estimate(self, drawn: Drawn) -> None:
        rng = self._rng
        if drawn.effect or not self._chance(0.5):
            return
        estimate: dict[str, Any] = {}
        if self._chance(0.8):
            estimate["seconds"] = rng.choice([0, 0.05, 0.2, 0.5, 1, 3])
        if "model" in drawn.spec and self._chance(0.4):
            estimate["output_tokens"] = rng.choice([1, 10, 100, 2000])
            estimate["input_tokens"] = rng.choice([1, 50, 5000])
        drawn.spec["estimate"] = estimate

    # --- kinds

    def _choice(self, name: str, refs: list[Any]) -> Drawn:
        choices = self._rng.sample(WORDS, self._rng.randint(2, 4))
        twin = next((n for n, _, _ in refs if "choices" in n.spec), None)
        if twin and self._chance(0.4):  # a check that mostly lets the other's answer pass
            choices = list(twin.spec["choices"])
        spec = self._model(name, refs)
        spec["choices"] = choices
        rules, pool = self._rules(name, spec, [self._rng.choice(choices) for _ in range(3)])
        return Drawn(
            name=name,
            spec=spec,
            pool=pool or choices,
            fields={name: choices},
            tests=[f"{name} == '{c}'" for c in choices] + [f"{name} != '{choices[0]}'"],
            rules=rules,
        )

    def _text(self, name: str, refs: list[Any]) -> Drawn:
        spec = self._model(name, refs)
        spec["max_output_tokens"] = self._rng.choice([6, 60, 200])
        replies = [self._sentence() for _ in range(3)]
        if refs and self._chance(0.3):
            replies[0] = self._rng.choice(refs[0][2]) or "-"
        rules, pool = self._rules(name, spec, replies)
        letter = self._rng.choice(LETTERS)
        return Drawn(
            name=name,
            spec=spec,
            pool=pool or replies,
            fields={name: [str(value) for value in pool or replies]},
            tests=[f"'{letter}' in {name}", f"{name} | length > 30"],
            rules=rules,
        )

    def _echo(self, name: str, refs: list[Any]) -> Drawn:
        seconds = self._rng.choice([0, 0.05, 0.1, 0.2, 0.3])
        words, values = self._said(refs)
        form = self._rng.choice(["as it is", "box"])
        spec: dict[str, Any] = {"tool": "echo"}
        if form == "as it is":
            spec["args"] = {"value": words, "seconds": seconds}
            pool: list[Any] = list(values)
            fields, tests = {name: values}, [f"'e' in {name}", f"{name} | length > 12"]
        else:
            spec["args"] = {"value": {"text": words, "by": name, "n": [1, 2]}, "seconds": seconds}
            pool = [{"text": value, "by": name, "n": [1, 2]} for value in values]
            fields = {f"{name}.text": values, f"{name}.by": [name]}
            tests = [f"'e' in {name}.text", f"{name}.n[0] == 1"]
        return Drawn(name=name, spec=spec, pool=pool, fields=fields, tests=tests)

    def _kb(self, name: str, refs: list[Any]) -> Drawn:
        words, values = self._said(refs)
        articles = [_article(value) for value in values]
        return Drawn(
            name=name,
            spec={"tool": "kb.search", "args": {"topic": words}},
            pool=list(articles),
            fields={
                f"{name}.text": [article["text"] for article in articles],
                f"{name}.topic": [article["topic"] for article in articles],
                f"{name}.sources | length | string": [str(len(a["sources"])) for a in articles],
            },
            tests=[f"{name}.sources | length > 1", f"{name}.text | length > 0"],
        )

    def _toll(self, name: str, refs: list[Any]) -> Drawn:
        words, values = self._said(refs)
        spec: dict[str, Any] = {
            "tool": "lossless.toll",
            "args": {"text": words, "seconds": self._rng.choice([0, 0.1, 0.2])},
        }
        if self._chance(0.4):
            spec["args"]["taboo"] = self._rng.choice(["x", "q", "y", "z"])
        return Drawn(
            name=name,
            spec=spec,
            pool=list(values),
            fields={name: values},
            tests=[f"'i' in {name}", f"{name} | length > 20"],
        )

    def _effect(self, name: str, refs: list[Any]) -> Drawn:
        words, _ = self._said(refs)
        manner = self._rng.choice(list(Manner))
        self._manners[name] = manner
        spec: dict[str, Any] = {
            "effect": "outbox.put",
            "args": {"to": "{{ input.who }}", "body": words},
        }
        if manner is Manner.SILENT:
            spec["approval_timeout_seconds"] = self._rng.choice([0.1, 0.3, 0.6])
        elif self._chance(0.3):
            spec["approval_timeout_seconds"] = 60
        return Drawn(
            name=name,
            spec=spec,
            pool=[],
            # Key and time of a receipt differ from run to run: only that it is there may be read.
            fields={f"{name}.key | length > 0": ["true"]},
            tests=[f"{name}.key | length > 0"],
            may_be_absent=manner in (Manner.REFUSED, Manner.REFUSED_EARLY, Manner.SILENT),
        )

    # --- texts and rules

    def _sentence(self) -> str:
        return " ".join(self._word() for _ in range(self._rng.choice([1, 3, 8, 25])))

    def _said(self, refs: list[Any]) -> tuple[str, list[str]]:
        """A template out of references, and some values that it may come to."""
        if not refs:
            word = self._word()
            return (
                ("{{ input.topic }} " + word, [f"? {word}"])
                if self._chance(0.3)
                else (
                    word,
                    [word],
                )
            )
        if len(refs) == 1 and self._chance(0.6) and not refs[0][0].effect:
            return f"{{{{ {refs[0][1]} }}}}", refs[0][2][:POOL]
        words = " ".join(f"{{{{ {expression} }}}}" for _, expression, _ in refs)
        values = [" ".join(self._rng.choice(values) for _, _, values in refs) for _ in range(POOL)]
        return words, values

    def _model(self, name: str, refs: list[Any]) -> dict[str, Any]:
        words = " / ".join(f"{{{{ {expression} }}}}" for _, expression, _ in refs)
        spec: dict[str, Any] = {
            "model": self._rng.choice(MODELS),
            "prompt": f"{name} about {{{{ input.topic }}}}: {words}",
        }
        if self._chance(0.2):
            spec["system"] = f"You are {name}."
        return spec

    def _rules(
        self, name: str, spec: dict[str, Any], replies: list[str]
    ) -> tuple[list[dict[str, Any]], list[Any]]:
        """The stand-in's rules for a node: faults first, then one reply per kind of prompt."""
        rng, rules = self._rng, list[dict[str, Any]]()
        start = rf"^{name} about "
        struck = self._faults_left > 0 and self._chance(0.35)
        if struck:
            self._faults_left -= 1
            rules.append({"match": start, "times": 1, **self._transient(replies[0])})
        letters = rng.sample(LETTERS, 2)
        matches = [f"{start}{_even(letters[0])}", f"{start}{_even(letters[1])}", start]
        for match, reply in zip(matches, replies, strict=True):
            if not struck and self._chance(0.05):
                spec["retries"] = 0
                rules.append({"match": match, **self._permanent(spec)})
            else:
                rules.append({"match": match, "reply": reply, **self._pace()})
        return rules, list(dict.fromkeys(replies))

    def _pace(self) -> dict[str, Any]:
        rng = self._rng
        return {"ttft_ms": rng.randint(10, 300), "tokens_per_second": rng.choice([100, 400, 2000])}

    def _transient(self, reply: str) -> dict[str, Any]:
        return {"fault": self._rng.choice(TRANSIENT), "reply": reply, **self._pace()}

    def _permanent(self, spec: dict[str, Any]) -> dict[str, Any]:
        if "choices" in spec and self._chance(0.5):
            return {"reply": "none of them", **self._pace()}
        return {"fault": "500", **self._pace()}

    # --- guesses

    def _maybe_guess(self, drawn: Drawn) -> None:
        if not self._chance(0.75):
            return
        left, guesses, seen = Decimal(1), list[dict[str, Any]](), set[str]()
        for _ in range(self._rng.choice([1, 1, 2, 3])):
            p = Decimal(self._rng.choice(["0.1", "0.3", "0.5", "0.8", "0.95"]))
            guess = self._guess(drawn)
            said = canonical_json(guess)
            if p > left or said in seen:
                continue
            seen.add(said)
            left -= p
            guesses.append({**guess, "p": str(p)})
        if guesses:
            drawn.spec["guess"] = guesses

    def _guess(self, drawn: Drawn) -> dict[str, Any]:
        others = [node.name for node in self._nodes if not node.effect]
        if others and self._chance(0.3):
            return {"from": "node", "node": self._rng.choice(others)}
        value = self._rng.choice(drawn.pool)
        if isinstance(value, dict) and self._chance(0.5):
            field = self._rng.choice(["sources", "by", "n", "topic"])
            value = {**value, field: ["other"]}
        elif isinstance(value, str) and "choices" not in drawn.spec and self._chance(0.25):
            value = f"{value} {self._word()}"
        return {"from": "value", "value": value}


def _even(letter: str) -> str:
    """Matches the rest of a prompt that holds an even number of a letter."""
    return f"[^{letter}]*(?:{letter}[^{letter}]*{letter}[^{letter}]*)*$"


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]


def _article(topic: str) -> Any:
    """What `kb.search` finds; it never waits for anything."""
    search = kb_search(KbSearch(topic=topic))
    try:
        search.send(None)
    except StopIteration as found:
        return found.value
    raise AssertionError("kb.search waits for something")
