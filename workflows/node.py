"""A node: what it needs, whether it runs, and what it calls, as functions of its upstream's outputs.

An item of a `for_each` node is a node like any other; it is known by its index alone, so it can be
planned before the list is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from forerun.speculation.equivalence import CANONICAL_JSON
from forerun.workflows.filling import Filled, Filling
from forerun.workflows.spec_guesses import Guesses
from forerun.workflows.spec_nodes import NodeSpec
from forerun.workflows.template_values import Work
from forerun.workflows.templates import RenderError

MOST_ITEMS = 1_000
"""Of one for_each: as many nodes as a whole spec may have."""

OWN_SIZE = 2_000
"""Bytes that a call is taken to have while it is only known as a function; ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedCall:
    """What a node calls, with concrete arguments.

    For a model the arguments are named as in `ModelRequest`: provider, model, prompt, system,
    choices, schema, max_output_tokens, temperature.
    """

    operation: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node. `upstream` are the nodes that its texts name, in their order.

    The values that its methods take are the outputs of its upstream by name; a skipped node is left
    out of them. An item has the upstream of its parent, the `for_each` node whose list it is of.
    """

    name: str
    spec: NodeSpec
    input: Any = None
    upstream: tuple[str, ...]
    call: Filled
    when: Filling | None = None
    for_each: Filling | None = None
    parent: str | None = None
    index: int | None = None
    # The last list, and what it was rendered from: shared with the items, which all ask for it.
    _list: list[tuple[Mapping[str, Any], list[Any]]] = field(
        default_factory=list[tuple[Mapping[str, Any], list[Any]]], compare=False, repr=False
    )

    def item(self, index: int) -> Node:
        """The node of one item of its list, whether there is one or not."""
        name = f"{self.name}[{index}]"
        return replace(self, name=name, parent=self.name, index=index)

    @property
    def gathers(self) -> bool:
        """Whether it makes no call of its own: its output are those of its items."""
        return self.for_each is not None and self.index is None

    @property
    def effect(self) -> bool:
        """Whether it is an effect: an intent behind the barrier, not a call."""
        return self.spec.kind == "effect"

    @property
    def speculate(self) -> bool:
        """Whether its author lets it run on guesses."""
        return self.spec.speculate

    @property
    def guesses(self) -> Guesses:
        """How its output may be predicted: the whole list, where it has items."""
        return self.spec.guess if self.index is None else ()

    @property
    def approximable(self) -> bool:
        """Whether a guess that differs from its output may stand for it (tiers 2 and 3)."""
        return self.spec.equivalence > CANONICAL_JSON

    @property
    def when_references(self) -> tuple[str, ...]:
        """The upstream nodes that its `when` reads; none without a `when`."""
        read = self.when.references if self.when else ()
        return tuple(name for name in self.upstream if name in read)

    @property
    def conditional(self) -> bool:
        """Whether it may be skipped as a whole; a `when` that reads `item` only leaves items out."""
        return self.when is not None and self.index is None and not self._filters

    @property
    def size(self) -> int:
        """Length of its texts in UTF-8: a measure of its call before it can be rendered."""
        return sum(filling.size for filling in self._fillings) or OWN_SIZE

    def tolerates(self, upstream: str) -> bool:
        """Whether it runs although `upstream` was skipped.

        It does if every one of its texts that reads `upstream` also tests it.
        """
        readers = [filling for filling in self._fillings if upstream in filling.references]
        return all(upstream in filling.tolerated for filling in readers)

    def items(self, values: Mapping[str, Any]) -> list[Any]:
        """The list that `for_each` comes to.

        Raises:
            RenderError: it is no list, or too long a one.
        """
        if self.for_each is None:
            raise AssertionError(f"{self.name} has no list")
        if not self._list or not _identical(self._list[0][0], values):
            found = self.for_each.render({"input": self.input, **values})
            self._list[:] = [(dict(values), _checked(found, f"nodes.{self.parent or self.name}"))]
        return self._list[0][1]

    def runs(self, values: Mapping[str, Any]) -> bool:
        """Whether its `when` is true; without one it always runs. No item beyond the list does.

        Raises:
            RenderError: the `when` has no value, or the list.
        """
        if self.index is not None and self.index >= len(self.items(values)):
            return False
        if self.when is None or (self.gathers and self._filters):
            return True
        return self.when.holds(self._names(values))

    def render(self, values: Mapping[str, Any]) -> RenderedCall:
        """Its call with concrete, canonical arguments. `when` is not looked at.

        Raises:
            RenderError: a text has no value, or comes to more than 256 KB.
        """
        arguments = self.call.render(self._names(values), Work())
        return RenderedCall(operation=self.spec.operation, arguments=arguments)

    def _names(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All that its texts may read."""
        names = {"input": self.input, **values}
        if self.index is not None:
            names |= {"item": self.items(values)[self.index], "index": self.index}
        return names

    @property
    def _filters(self) -> bool:
        read = self.when.references if self.when else ()
        return self.for_each is not None and ("item" in read or "index" in read)

    @property
    def _fillings(self) -> tuple[Filling, ...]:
        own = (self.for_each, self.when, *self.call.templates)
        return tuple(filling for filling in own if filling is not None)


def _identical(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equal is not enough: to Python `1` equals `true`, and a guess would stand for an answer."""
    return one.keys() == other.keys() and all(one[name] is other[name] for name in one)


def _checked(found: Any, path: str) -> list[Any]:
    if not isinstance(found, list):
        raise RenderError(f"{path}.for_each", f"is {type(found).__name__}, not a list")
    items = cast("list[Any]", found)
    if len(items) > MOST_ITEMS:
        problem = f"has {len(items):,} items, more than {MOST_ITEMS:,}"
        raise RenderError(f"{path}.for_each", problem)
    return items
