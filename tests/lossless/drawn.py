"""What the generator knows of a node that it has drawn: how others may read it, and its values.

Every node knows values that it may come to have, the likely one first: the one that it has if all
that it reads has its likely value. So guesses are right often, and wrong in many ways.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from forerun.speculation.canonical import canonical_json
from tests.lossless.case import Manner

VALUES = 4
"""Of a node that are known, at most."""


@dataclass(frozen=True, slots=True)
class View:
    """An expression about a node named `{}`, and the text that a value of the node makes of it.

    `text`: the expression is text by itself, and not only within one.
    """

    pattern: str
    read: Callable[[Any], str]
    text: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that a node named `{}` holds: its items as texts, and how a template reads one."""

    pattern: str
    items: Callable[[Any], list[str]]
    item: str = "item"


@dataclass(slots=True, kw_only=True)
class Drawn:
    """A node. `output` is what it makes of the text that it reads, None where it fails.

    `tests` are `when`s for others, `manners` how people treat its intents: one, or one per item.
    """

    name: str
    spec: dict[str, Any]
    output: Callable[[str], Any]
    views: list[View]
    tests: list[str]
    values: list[Any] = field(default_factory=list[Any])
    listings: list[Listing] = field(default_factory=list[Listing])
    rules: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    manners: list[Manner] = field(default_factory=list[Manner])
    may_be_absent: bool = False

    @property
    def effect(self) -> bool:
        return "effect" in self.spec

    @property
    def intents(self) -> dict[str, Manner]:
        """Its manners by intent."""
        if "for_each" not in self.spec:
            return {self.name: manner for manner in self.manners}
        return {f"{self.name}[{index}]": manner for index, manner in enumerate(self.manners)}

    def twin(self, name: str) -> Drawn:
        """The very same call once more: what one of the two has started, the other may claim."""
        return replace(self, name=name, spec=dict(self.spec), rules=[])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An expression in a template, the texts that it may come to, and the choices it is one of."""

    expression: str
    values: list[str]
    text: bool = True
    choices: list[str] | None = None

    @classmethod
    def to(cls, node: Drawn, view: View, *, tolerant: bool = False) -> Reference:
        """Read a node; `tolerant`: also where it is skipped."""
        expression = view.pattern.format(node.name)
        values = [view.read(value) for value in node.values] or ["-"]
        if tolerant:
            expression = f"({expression}) if {node.name} is defined else '-'"
            values.append("-")
        choices = node.spec.get("choices") if view.pattern == "{}" else None
        return cls(expression=expression, values=values, text=view.text, choices=choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A template out of references, and the texts that it may come to, the likely one first."""

    template: str
    values: list[str]
    choices: list[str] | None = None

    @classmethod
    def of(cls, rng: random.Random, refs: Sequence[Reference]) -> Words:
        """All references in one text; the value itself where there is one only, mostly."""
        choices = next((ref.choices for ref in refs if ref.choices), None)
        if len(refs) == 1 and refs[0].text and rng.random() < 0.6:
            template, values = f"{{{{ {refs[0].expression} }}}}", refs[0].values
            return cls(template=template, values=values[:VALUES], choices=choices)
        template = " ".join(f"{{{{ {ref.expression} }}}}" for ref in refs)
        likely = " ".join(ref.values[0] for ref in refs)
        others = [" ".join(rng.choice(ref.values) for ref in refs) for _ in range(VALUES - 1)]
        values = list(dict.fromkeys([likely, *others]))
        return cls(template=template, values=values, choices=choices)


def distinct(values: Sequence[Any]) -> list[Any]:
    """Without those that came before, and without None, in order."""
    found = {canonical_json(value): value for value in reversed(values) if value is not None}
    return list(reversed(found.values()))
