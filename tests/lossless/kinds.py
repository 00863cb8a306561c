"""One node of each kind, drawn at random on top of what it reads."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from forerun.activities.builtin_tools import KbSearch, kb_search
from tests.lossless.case import Manner
from tests.lossless.drawn import Drawn, Listing, View, Words, distinct
from tests.lossless.rules import LETTERS, REPLIES, Rulebook, answer, arriving

WORDS = (  # noqa: SIM905 - twenty quoted words would hide the list
    "billing bug sales refund invoice login export trial discount account privacy charge plan "
    "upgrade browser timeout report price tax deletion"
).split()
MODELS = ("openai:sim-small", "openai:sim-mid", "anthropic:sim-mid", "anthropic:sim-large")
MOST_ITEMS = 4

TEXT = View("{}", str)
ITEMS = {"type": "array", "items": {"type": "string"}}
BRIEF = {
    "type": "object",
    "properties": {"topic": {"type": "string"}, "items": ITEMS, "note": {"type": "string"}},
    "required": ["topic", "items", "note"],
}


class Kinds:
    """Draws nodes of one case, whose input is about `topic`."""

    def __init__(self, rng: random.Random, rulebook: Rulebook, topic: str) -> None:
        self._rng = rng
        self._rulebook = rulebook
        self._topic = topic

    def choice(self, name: str, words: Words) -> Drawn:
        """A model that chooses: a word, or a phrase whose first word gives it away."""
        choices = self._rng.sample(WORDS, self._rng.randint(2, 4))
        if self._rng.random() < 0.4:
            choices = [f"{choice} {self.sentence([3, 8])}" for choice in choices]
        if words.choices and self._rng.random() < 0.4:
            choices = list(words.choices)  # a check of the other's answer
        replies = [self._rng.choice(choices) for _ in range(REPLIES)]
        tests = [f"{{}} == '{replies[0]}'", f"{{}} != '{replies[1]}'"]
        return self._model(name, words, {"choices": choices}, replies, [TEXT], tests)

    def text(self, name: str, words: Words) -> Drawn:
        """A model that writes; now and then it repeats what it reads."""
        limit = self._rng.choice([6, 60, 200])
        replies = [self.sentence([1, 3, 8, 25]) for _ in range(REPLIES)]
        if self._rng.random() < 0.3:
            replies[0] = words.values[0] or "-"
        tests = [f"'{self._rng.choice(LETTERS)}' in {{}}", "{} | length > 30"]
        return self._model(name, words, {"max_output_tokens": limit}, replies, [TEXT], tests)

    def plan(self, name: str, words: Words) -> Drawn:
        """A model that lists things."""
        replies = [self.items() for _ in range(REPLIES)]
        views = [View("{} | join(' ')", " ".join), View("{} | length | string", _length)]
        tests = ["{} | length > 1", f"'{self.word()}' in {{}}"]
        drawn = self._model(name, words, {"schema": ITEMS}, replies, views, tests)
        drawn.listings = [Listing("{}", list)]
        return drawn

    def brief(self, name: str, words: Words) -> Drawn:
        """A model that fills in a form, field by field; the last is the longest."""
        replies: list[Any] = [
            {"topic": self.word(), "items": self.items(), "note": self.sentence([8, 25])}
            for _ in range(REPLIES)
        ]
        views = [View(f"{{}}.{key}", lambda v, key=key: v[key]) for key in ("topic", "note")]
        views.append(View("{}.items | join(' ')", lambda value: " ".join(value["items"])))
        tests = [f"{{}}.topic == '{replies[0]['topic']}'", "{}.items | length > 1"]
        drawn = self._model(name, words, {"schema": BRIEF}, replies, views, tests)
        drawn.listings = [Listing("{}.items", lambda value: value["items"])]
        return drawn

    def echo(self, name: str, words: Words) -> Drawn:
        spec: dict[str, Any] = {"tool": "echo", "args": {"seconds": self._pause()}}
        if self._rng.random() < 0.5:
            spec["args"]["value"] = words.template
            return self._tool(name, spec, words, [TEXT], ["'e' in {}", "{} | length > 12"])
        spec["args"]["value"] = {"text": words.template, "by": name, "n": [1, 2]}
        drawn = Drawn(
            name=name,
            spec=spec,
            output=lambda said: {"text": said, "by": name, "n": [1, 2]},
            views=[View("{}.text", lambda v: v["text"]), View("{}.by", lambda v: v["by"])],
            tests=["'e' in {}.text", "{}.n[0] == 1"],
            listings=[Listing("{}.n", lambda value: [*map(str, value["n"])], "item | string")],
        )
        drawn.values = distinct([drawn.output(said) for said in words.values])
        return drawn

    def search(self, name: str, words: Words) -> Drawn:
        views = [
            View("{}.text", lambda value: value["text"]),
            View("{}.topic", lambda value: value["topic"]),
            View("{}.sources | length | string", lambda value: _length(value["sources"])),
        ]
        return Drawn(
            name=name,
            spec={"tool": "kb.search", "args": {"topic": words.template}},
            output=_found,
            values=[_found(said) for said in words.values],
            views=views,
            tests=["{}.sources | length > 1", "{}.text | length > 0"],
            listings=[Listing("{}.sources", lambda value: value["sources"])],
        )

    def toll(self, name: str, words: Words) -> Drawn:
        spec: dict[str, Any] = {"tool": "lossless.toll"}
        spec["args"] = {"text": words.template, "seconds": self._pause()}
        if self._rng.random() < 0.4:
            spec["args"]["taboo"] = self._rng.choice("xqyz")
        return self._tool(name, spec, words, [TEXT], ["'i' in {}", "{} | length > 20"])

    def effect(self, name: str, words: Words) -> Drawn:
        manner = self._rng.choice(list(Manner))
        args = {"to": "{{ input.who }}", "body": words.template}
        spec: dict[str, Any] = {"effect": "outbox.put", "args": args}
        if manner is Manner.SILENT:
            spec["approval_timeout_seconds"] = self._rng.choice([0.1, 0.3, 0.6])
        elif self._rng.random() < 0.3:
            spec["approval_timeout_seconds"] = 600
        # Key and time of a receipt differ from run to run: only that it is there may be read.
        there = "{}.key | length > 0"
        return Drawn(
            name=name,
            spec=spec,
            output=lambda said: None,
            views=[View(there, lambda receipt: "true", text=False)],
            tests=[there],
            manners=[manner],
            may_be_absent=manner.leads_to != "committed",
        )

    def word(self) -> str:
        return self._rng.choice(WORDS)

    def words(self) -> Words:
        """Of a node that reads no other."""
        word = self.word()
        if self._rng.random() < 0.3:
            return Words(template=f"{{{{ input.topic }}}} {word}", values=[f"{self._topic} {word}"])
        return Words(template=word, values=[word])

    def items(self) -> list[str]:
        """A list of words, in which some may be twice."""
        return [self.word() for _ in range(self._rng.choice([0, 1, 2, 3, 3, MOST_ITEMS]))]

    def sentence(self, lengths: Sequence[int]) -> str:
        return " ".join(self.word() for _ in range(self._rng.choice(lengths)))

    def _pause(self) -> float:
        return self._rng.choice([0, 0.05, 0.1, 0.2, 0.3])

    def _model(
        self,
        name: str,
        words: Words,
        shape: dict[str, Any],
        replies: list[Any],
        views: list[View],
        tests: list[str],
    ) -> Drawn:
        """A model node; what it says is about all that it reads."""
        spec: dict[str, Any] = {
            "model": self._rng.choice(MODELS),
            "prompt": f"{name} about {{{{ input.topic }}}}: {words.template}",
            **shape,
        }
        if self._rng.random() < 0.2:
            spec["system"] = f"You are {name}."
        rules = self._rulebook.write(name, spec, replies)

        def output(said: str) -> Any:
            return answer(rules, spec, f"{name} about {self._topic}: {said}")

        values = distinct([output(words.values[0]), *(arriving(spec, one) for one in replies)])
        return Drawn(
            name=name,
            spec=spec,
            output=output,
            values=values,
            views=views,
            tests=tests,
            rules=rules,
        )

    def _tool(
        self, name: str, spec: dict[str, Any], words: Words, views: list[View], tests: list[str]
    ) -> Drawn:
        """A tool that returns what it reads, unless that is taboo."""
        taboo = set(spec["args"].get("taboo", ""))

        def output(said: str) -> str | None:
            return None if taboo & set(said) else said

        values = [*words.values]
        return Drawn(name=name, spec=spec, output=output, values=values, views=views, tests=tests)


def _length(value: Sequence[Any]) -> str:
    return str(len(value))


def _found(topic: str) -> dict[str, Any]:
    """What `kb.search` finds; it never waits for anything."""
    search = kb_search(KbSearch(topic=topic))
    try:
        search.send(None)
    except StopIteration as found:
        return found.value
    raise AssertionError("kb.search waits for something")
