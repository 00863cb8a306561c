"""Whether the guesses of a run were right, worked out again from what its nodes came to in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from forerun.activities.checkpoints import CHECKPOINT
from forerun.speculation.canonical import canonical, digest
from forerun.speculation.guess import guess_id
from forerun.speculation.record import GuessTested
from forerun.workers.audit.reading import read_run
from forerun.workers.audit.run import Run as Told
from forerun.workers.audit.run import node_of_id
from forerun.workflows.graph import Graph
from forerun.workflows.node import Node
from forerun.workflows.spec import NodeGuess, Spec, ValueGuess
from forerun.workflows.templates import RenderError
from tests.harness import Story

Values = Mapping[str, Any]

NOWHERE = object()
"""Where inputs lead a node that is stopped by another of them, or whose texts fail."""


def tier_problems(story: Story, result: dict[str, Any], spec: Spec, graph: Graph) -> Iterator[str]:
    """A guess is right at tier 1 if it is the output, at tier 0 if nobody can tell the difference."""
    told = read_run(story.history)[0]
    ended = {**result["outputs"], **dict(_receipts(result, graph))}
    guessed = dict(_guessed(told, spec, ended))
    for event_id, test in told.of(GuessTested):
        if test.actual_sha256 is not None and test.guess in guessed:
            expected = _tier(test, guessed[test.guess], graph, ended)
            if test.tier != expected:
                yield f"{test.label}, tested at event {event_id}: tier {test.tier}, not {expected}"


def _tier(test: GuessTested, value: Any, graph: Graph, ended: Values) -> int | None:
    if digest(value) == test.actual_sha256:
        return 1
    readers = [graph.nodes[name] for name in graph.downstream[test.node]]
    led = [
        (_led(reader, ended), _led(reader, {**ended, test.node: value}))
        for reader in readers
        if not reader.effect
    ]
    both = [pair for pair in led if NOWHERE not in pair]
    return 0 if both and all(actual == guessed for actual, guessed in both) else None


def _led(node: Node, ended: Values) -> Any:
    """What a node calls with these values: of a list, for each item; None where it is skipped."""
    values = {up: ended[up] for up in node.upstream if up in ended}
    if not all(up in values or node.tolerates(up) for up in node.upstream):
        return NOWHERE
    try:
        if not node.runs(values):
            return None
        if not node.gathers:
            return node.render(values)
        items = [node.item(index) for index in range(len(node.items(values)))]
        return [item.render(values) for item in items if item.runs(values)]
    except RenderError:
        return NOWHERE


def _guessed(told: Told, spec: Spec, ended: Values) -> Iterator[tuple[str, Any]]:
    """By id, the guesses whose value is known: constants, outputs of other nodes, what streamed."""
    made = [(call.node, call.output) for call in told.calls if call.completed]
    for name, node in spec.nodes.items():
        for guess in node.guess:
            if isinstance(guess, ValueGuess):
                yield _named(name, guess.value)
            elif isinstance(guess, NodeGuess):
                for other, output in (*made, *ended.items()):
                    if other == guess.node:
                        yield _named(name, output)
    for signal in told.signals:
        if signal.name == CHECKPOINT and "value" in signal.payload:
            yield _named(node_of_id(signal.payload["call"]), signal.payload["value"])


def _named(node: str, value: Any) -> tuple[str, Any]:
    return guess_id(node, digest(value)), canonical(value)


def _receipts(result: dict[str, Any], graph: Graph) -> Iterator[tuple[str, Any]]:
    """The outputs of effects: of one for each item there is one if none was declined."""
    absent = {*result["skipped"], *result["failed"]}
    for name in (node.name for node in graph.nodes.values() if node.effect):
        own = {i: e for i, e in result["effects"].items() if i.partition("[")[0] == name}
        if name not in absent and all(end["state"] == "committed" for end in own.values()):
            receipts = [end["receipt"] for end in own.values()]
            yield name, receipts if graph.nodes[name].gathers else receipts[0]
