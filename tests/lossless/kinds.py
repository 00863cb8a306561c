"""One node of each kind, drawn at random on top of others.

Every node knows values that it may come to have, the likely one first: the one that it has if all
that it reads has its likely value. So guesses are right often, and wrong in many ways.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from forerun.activities.builtin_tools import KbSearch, kb_search
from tests.lossless.case import Manner
from tests.lossless.rules import LETTERS, REPLIES, Rule, Rulebook, answer, cut

WORDS = (  # noqa: SIM905 - twenty quoted words would hide the list
    "billing bug sales refund invoice login export trial discount account privacy charge plan "
    "upgrade browser timeout report price tax deletion"
).split()
MODELS = ("openai:sim-small", "openai:sim-mid", "anthropic:sim-mid", "anthropic:sim-large")
VALUES = 4
"""Of a node that are known, at most."""


@dataclass(slots=True, kw_only=True)
class Drawn:
    """A node. `fields` are the expressions that others may read, with values; `tests` are `when`s."""

    name: str
    spec: dict[str, Any]
    values: list[Any]
    fields: dict[str, list[str]]
    tests: list[str]
    rules: list[Rule] = field(default_factory=list[Rule])
    manner: Manner | None = None
    may_be_absent: bool = False

    @property
    def effect(self) -> bool:
        return self.manner is not None


@dataclass(frozen=True, slots=True)
class Reference:
    """An expression in a template that reads a node, and what it may come to."""

    node: Drawn
    expression: str
    values: list[str]


References = Sequence[Reference]


class Kinds:
    """Draws nodes of one case, whose input is about `topic`."""

    def __init__(self, rng: random.Random, rulebook: Rulebook, topic: str) -> None:
        self._rng = rng
        self._rulebook = rulebook
        self._topic = topic

    def choice(self, name: str, refs: References) -> Drawn:
        choices = self._rng.sample(WORDS, self._rng.randint(2, 4))
        checked = next((ref.node for ref in refs if "choices" in ref.node.spec), None)
        if checked and self._rng.random() < 0.4:
            choices = list(checked.spec["choices"])  # a check of the other's answer
        replies = [self._rng.choice(choices) for _ in range(REPLIES)]
        drawn = self._model(name, refs, {"choices": choices}, replies)
        drawn.tests = [f"{name} == '{replies[0]}'", f"{name} != '{replies[1]}'"]
        return drawn

    def text(self, name: str, refs: References) -> Drawn:
        limit = self._rng.choice([6, 60, 200])
        replies = [self._sentence() for _ in range(REPLIES)]
        if refs and self._rng.random() < 0.3:
            replies[0] = refs[0].values[0] or "-"
        drawn = self._model(name, refs, {"max_output_tokens": limit}, replies)
        drawn.tests = [f"'{self._rng.choice(LETTERS)}' in {name}", f"{name} | length > 30"]
        return drawn

    def echo(self, name: str, refs: References) -> Drawn:
        words, said = self._said(refs)
        spec: dict[str, Any] = {"tool": "echo", "args": {"value": words, "seconds": self._pause()}}
        if self._rng.random() < 0.5:
            tests = [f"'e' in {name}", f"{name} | length > 12"]
            return Drawn(name=name, spec=spec, values=[*said], fields={name: said}, tests=tests)
        spec["args"]["value"] = {"text": words, "by": name, "n": [1, 2]}
        return Drawn(
            name=name,
            spec=spec,
            values=[{"text": text, "by": name, "n": [1, 2]} for text in said],
            fields={f"{name}.text": said, f"{name}.by": [name]},
            tests=[f"'e' in {name}.text", f"{name}.n[0] == 1"],
        )

    def search(self, name: str, refs: References) -> Drawn:
        words, said = self._said(refs)
        found = [_found(topic) for topic in said]
        return Drawn(
            name=name,
            spec={"tool": "kb.search", "args": {"topic": words}},
            values=[*found],
            fields={
                f"{name}.text": [one["text"] for one in found],
                f"{name}.topic": said,
                f"{name}.sources | length | string": [str(len(one["sources"])) for one in found],
            },
            tests=[f"{name}.sources | length > 1", f"{name}.text | length > 0"],
        )

    def toll(self, name: str, refs: References) -> Drawn:
        words, said = self._said(refs)
        spec: dict[str, Any] = {"tool": "lossless.toll"}
        spec["args"] = {"text": words, "seconds": self._pause()}
        if self._rng.random() < 0.4:
            spec["args"]["taboo"] = self._rng.choice("xqyz")
        tests = [f"'i' in {name}", f"{name} | length > 20"]
        return Drawn(name=name, spec=spec, values=[*said], fields={name: said}, tests=tests)

    def effect(self, name: str, refs: References) -> Drawn:
        words, _ = self._said(refs)
        manner = self._rng.choice(list(Manner))
        args = {"to": "{{ input.who }}", "body": words}
        spec: dict[str, Any] = {"effect": "outbox.put", "args": args}
        if manner is Manner.SILENT:
            spec["approval_timeout_seconds"] = self._rng.choice([0.1, 0.3, 0.6])
        elif self._rng.random() < 0.3:
            spec["approval_timeout_seconds"] = 600
        # Key and time of a receipt differ from run to run: only that it is there may be read.
        there = f"{name}.key | length > 0"
        return Drawn(
            name=name,
            spec=spec,
            values=[],
            fields={there: ["true"]},
            tests=[there],
            manner=manner,
            may_be_absent=manner.leads_to != "committed",
        )

    def word(self) -> str:
        return self._rng.choice(WORDS)

    def _sentence(self) -> str:
        return " ".join(self.word() for _ in range(self._rng.choice([1, 3, 8, 25])))

    def _pause(self) -> float:
        return self._rng.choice([0, 0.05, 0.1, 0.2, 0.3])

    def _model(
        self, name: str, refs: References, shape: dict[str, Any], replies: list[str]
    ) -> Drawn:
        """A model node; what it says is about all that it reads."""
        said = " / ".join(f"{{{{ {ref.expression} }}}}" for ref in refs)
        spec: dict[str, Any] = {
            "model": self._rng.choice(MODELS),
            "prompt": f"{name} about {{{{ input.topic }}}}: {said}",
            **shape,
        }
        if self._rng.random() < 0.2:
            spec["system"] = f"You are {name}."
        rules = self._rulebook.write(name, spec, replies)
        prompt = f"{name} about {self._topic}: " + " / ".join(ref.values[0] for ref in refs)
        likely = answer(rules, spec, prompt)
        others = [reply if "choices" in spec else cut(reply, 200) for reply in replies]
        known = others if likely is None else [likely, *others]
        values = list(dict.fromkeys(known))
        fields = {name: values}
        return Drawn(name=name, spec=spec, values=[*values], fields=fields, tests=[], rules=rules)

    def _said(self, refs: References) -> tuple[str, list[str]]:
        """A template out of references, and values that it may come to."""
        if not refs:
            word = self.word()
            about = self._rng.random() < 0.3
            return (
                (f"{{{{ input.topic }}}} {word}", [f"{self._topic} {word}"])
                if about
                else (
                    word,
                    [word],
                )
            )
        if len(refs) == 1 and self._rng.random() < 0.6 and not refs[0].node.effect:
            return f"{{{{ {refs[0].expression} }}}}", refs[0].values[:VALUES]
        words = " ".join(f"{{{{ {ref.expression} }}}}" for ref in refs)
        likely = " ".join(ref.values[0] for ref in refs)
        others = [" ".join(self._rng.choice(ref.values) for ref in refs) for _ in range(VALUES - 1)]
        return words, list(dict.fromkeys([likely, *others]))


def _found(topic: str) -> dict[str, Any]:
    """What `kb.search` finds; it never waits for anything."""
    search = kb_search(KbSearch(topic=topic))
    try:
        search.send(None)
    except StopIteration as found:
        return found.value
    raise AssertionError("kb.search waits for something")
