"""`for_each` nodes: any kind of node, once for each item of a list that is known only at run time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from forerun.speculation.canonical import canonical_json
from tests.lossless.case import Manner
from tests.lossless.drawn import Drawn, Listing, Reference, View, Words, distinct
from tests.lossless.kinds import MOST_ITEMS, Kinds
from tests.lossless.rules import LETTERS

Keeps = Callable[[int, str], bool]

PATIENT_SECONDS = 2
"""Until an intent expires beside others that are answered at once, on a busy machine too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An expression that is a list, the items it may have as texts, and how one of them is read."""

    expression: str
    values: list[list[str]]
    item: str = "item"

    @classmethod
    def of(cls, node: Drawn, listing: Listing, *, tolerant: bool) -> Listed:
        """A list that a node holds; `tolerant`: no items where it is skipped."""
        expression = listing.pattern.format(node.name)
        if tolerant:
            expression = f"({expression}) if {node.name} is defined else []"
        values = [listing.items(value) for value in node.values]
        return cls(expression=expression, values=values, item=listing.item)


class Fans:
    """Draws `for_each` nodes of one case."""

    def __init__(self, rng: random.Random, kinds: Kinds) -> None:
        self._rng = rng
        self._kinds = kinds
        self._makers = [kinds.choice, kinds.echo, kinds.toll, kinds.search, kinds.text, kinds.text]

    def calls(self, name: str, listed: Listed, refs: Sequence[Reference]) -> Drawn:
        """A call on each item."""
        drawn = self._rng.choice(self._makers)(name, self._words(listed, refs))
        keeps = self._spread(drawn, listed, refs)
        beside = [ref.values[0] for ref in refs]

        def gathered(items: Sequence[str]) -> list[Any] | None:
            said = (" ".join([x, *beside]) for i, x in enumerate(items) if keeps(i, x))
            outputs = [drawn.output(words) for words in said]
            return None if None in outputs else outputs

        drawn.values = distinct([gathered(items) for items in listed.values]) or [[]]
        one = drawn.views[0]
        drawn.listings = [
            Listing("{}", lambda value: [*map(one.read, value)], one.pattern.format("item"))
        ]
        drawn.views = [
            View("{}", canonical_json, text=False),
            View("{} | length | string", _length),
            View(one.pattern.format("{}[0]"), lambda value: one.read(value[0]) if value else "-"),
        ]
        drawn.tests = ["{} | length > 1", "{} | length != 2"]
        return drawn

    def effects(self, name: str, listed: Listed, refs: Sequence[Reference]) -> Drawn:
        """An intent for each item, and people who treat each in their own way."""
        drawn = self._kinds.effect(name, self._words(listed, refs))
        self._spread(drawn, listed, refs)
        manners = self._manners(drawn)
        drawn.manners = [self._rng.choice(manners) for _ in range(2 * MOST_ITEMS)]
        drawn.may_be_absent = any(m.leads_to != "committed" for m in drawn.manners)
        drawn.values = [[None] * len(items) for items in listed.values]
        drawn.views = [View("{} | length | string", _length)]
        drawn.tests = ["{} | length > 1"]
        return drawn

    def _manners(self, drawn: Drawn) -> list[Manner]:
        """They share one deadline: either nobody waits for it, or all others come early."""
        if drawn.manners == [Manner.SILENT]:
            drawn.spec["approval_timeout_seconds"] = PATIENT_SECONDS
            return [Manner.SILENT, Manner.EARLY, Manner.REFUSED_EARLY]
        kindly = [Manner.EARLY, Manner.ASKED, Manner.EXACT, Manner.CORRECTED]
        if self._rng.random() < 0.5:
            return kindly
        return [*kindly, Manner.REFUSED, Manner.REFUSED_EARLY]

    def _words(self, listed: Listed, refs: Sequence[Reference]) -> Words:
        first = next(iter(listed.values[0]), "-")
        return Words.of(self._rng, [Reference(expression=listed.item, values=[first]), *refs])

    def _spread(self, drawn: Drawn, listed: Listed, refs: Sequence[Reference]) -> Keeps:
        """Make it one for each item; which items its `when` keeps."""
        drawn.spec["for_each"] = f"{{{{ {listed.expression} }}}}"
        drawn.spec["concurrency"] = self._rng.randint(1, 4)
        if self._rng.random() < 0.6:
            return lambda index, item: True
        test, keeps = self._rng.choice(self._filters(listed, refs))
        drawn.spec["when"] = f"{{{{ {test} }}}}"
        return keeps

    def _filters(self, listed: Listed, refs: Sequence[Reference]) -> list[tuple[str, Keeps]]:
        item, word, letter = listed.item, self._kinds.word(), self._rng.choice(LETTERS)
        known = [text for items in listed.values for text in items if text.isalpha()]
        one, most = self._rng.choice(known or [word]), self._rng.randint(0, 3)
        filters: list[tuple[str, Keeps]] = [
            (f"({item}) != '{one}'", lambda index, text: text != one),
            (f"'{letter}' in ({item})", lambda index, text: letter in text),
            (f"index < {most}", lambda index, text: index < most),
        ]
        for ref in refs:
            test = f"({item}) != ({ref.expression})"
            filters.append((test, lambda index, text, ref=ref: text != ref.values[0]))
        return filters


def _length(value: Sequence[Any]) -> str:
    return str(len(value))
