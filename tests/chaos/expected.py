"""What a spec comes to if everything happens in order, once, and nothing is guessed.

A second opinion on a whole run, from its rendered texts alone: no server, no workers, no bets. What
is not for a spec to say is taken from the run: which intents people let pass, and which nodes a fault
has brought down.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from forerun.activities.builtin_tools import KbSearch, kb_search
from forerun.workflows.graph import Graph
from forerun.workflows.node import Node
from forerun.workflows.spec import parse_graph
from forerun.workflows.templates import RenderError
from tests.lossless.case import Case
from tests.lossless.rules import answer
from tests.lossless.tollgate import Toll

RECEIPT = {"key": "-", "committed_at": "-"}
"""Of an effect: no template of ours reads more of it than that it is there."""


@dataclass(slots=True)
class Expected:
    """What a run must return. `arguments` are those of every intent that had to be asked for."""

    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    skipped: set[str] = field(default_factory=set[str])
    stopped: set[str] = field(default_factory=set[str])
    failed: set[str] = field(default_factory=set[str])
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


async def expected(case: Case, states: Mapping[str, str], broken: set[str]) -> Expected:
    """Run a case in order.

    `states` is what became of each intent, `broken` names the nodes that failed although their call
    would have answered, and the effects whose commit did.
    """
    return await _Sequence(case, states, broken).run()


class _Absent(Exception):
    """A node has no output, and why: a word for the field of `Expected` that names it."""


@contextmanager
def _failing() -> Generator[None]:
    """A text that has no value fails its node, and so do arguments of another type."""
    try:
        yield
    except (RenderError, ValidationError):
        raise _Absent("failed") from None


class _Sequence:
    def __init__(self, case: Case, states: Mapping[str, str], broken: set[str]) -> None:
        self._case = case
        self._states = states
        self._broken = broken
        self._graph: Graph = parse_graph(case.spec)[1]
        self._values: dict[str, Any] = {}
        self._found = Expected()
        self._declined: set[str] = set()

    async def run(self) -> Expected:
        found = self._found
        places = {
            "skipped": found.skipped,
            "stopped": found.stopped,
            "failed": found.failed,
            "declined": self._declined,
        }
        for node in self._graph.nodes.values():
            try:
                with _failing():
                    value = await self._value(node)
            except _Absent as absent:
                places[str(absent)].add(node.name)
            else:
                self._values[node.name] = value
                if not node.effect:
                    found.outputs[node.name] = value
        return found

    async def _value(self, node: Node) -> Any:
        found = self._found
        if any(up in found.failed | found.stopped for up in node.upstream):
            raise _Absent("stopped")
        absent = found.skipped | self._declined
        if any(up in absent and not node.tolerates(up) for up in node.upstream):
            raise _Absent("skipped")
        values = {up: self._values[up] for up in node.upstream if up in self._values}
        if not node.runs(values):
            raise _Absent("skipped")
        if node.name in self._broken and not (node.gathers and node.effect):
            raise _Absent("failed")
        if node.gathers:
            return await self._gathered(node, values)
        return await self._made(node, values)

    async def _gathered(self, node: Node, values: dict[str, Any]) -> list[Any]:
        """All items are made, whatever becomes of one: what is worst of them is what it comes to."""
        made: list[Any] = []
        worst = set[str]()
        for index in range(len(node.items(values))):
            item = node.item(index)
            try:
                with _failing():
                    if item.runs(values):
                        made.append(await self._made(item, values))
            except _Absent as absent:
                worst.add(str(absent))
        for end in ("failed", "declined"):
            if end in worst:
                raise _Absent(end)
        return made

    async def _made(self, node: Node, values: dict[str, Any]) -> Any:
        arguments = node.render(values).arguments
        if node.effect:
            return self._ended(node, arguments)
        if node.spec.kind == "model":
            spec = self._case.spec["nodes"][node.parent or node.name]
            said = answer(self._case.rules, spec, arguments["prompt"])
        else:
            said = await TOOLS[node.spec.operation](arguments)
        if said is None:
            raise _Absent("failed")
        return said

    def _ended(self, node: Node, arguments: dict[str, Any]) -> dict[str, str]:
        self._found.arguments[node.name] = arguments
        if node.name in self._broken:
            raise _Absent("failed")
        if self._states.get(node.name) != "committed":
            raise _Absent("declined")
        return RECEIPT


async def _echo(arguments: dict[str, Any]) -> Any:
    return arguments["value"]


async def _search(arguments: dict[str, Any]) -> Any:
    return await kb_search(KbSearch(**arguments))


async def _toll(arguments: dict[str, Any]) -> Any:
    toll = Toll(**arguments)
    return None if set(toll.taboo) & set(toll.text) else toll.text


TOOLS = {"echo": _echo, "kb.search": _search, "lossless.toll": _toll}
