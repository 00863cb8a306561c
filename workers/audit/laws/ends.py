"""The result: every output is that of the one call that made it, every effect that of its commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from forerun.activities.intent import CommitReceipt
from forerun.speculation.canonical import canonical_json, digest
from forerun.workers.audit.differences import ABSENT
from forerun.workers.audit.launched import makers, outputs
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import COMMIT, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation
from forerun.workflows.graph import Graph

OMITTED = "omitted_bytes"
"""What stands in a result for a value that is too large for it, beside the value's digest."""


def check(run: Run) -> Iterator[Violation]:
    """Outputs, effects, and every node in one place of the result."""
    made = makers(run)
    for node, calls in made.items():
        for again in calls[1:]:
            found = f"{again.id} beside {calls[0].id}"
            yield violation(again.event_id, node, "output", "one call that makes it", found)
    result = run.close.result
    if result is None or run.graph is None or "outputs" not in result:
        return
    at = run.close.event_id
    yield from _outputs(at, run.graph, outputs(run), object_of(result["outputs"]))
    yield from _effects(at, run, object_of(result.get("effects")))
    yield from _places(at, run.graph, result)


def _outputs(
    at: int, graph: Graph, made: dict[str, Any], told: dict[str, Any]
) -> Iterator[Violation]:
    """A list has an output only if all its items have ended well: the result alone says so."""
    for node in graph.nodes.values():
        if node.effect or (node.gathers and node.name not in told):
            continue
        expected, found = made.get(node.name, ABSENT), told.get(node.name, ABSENT)
        if not _same(expected, found):
            yield violation(at, node.name, "output", expected, found)


def _effects(at: int, run: Run, effects: dict[str, Any]) -> Iterator[Violation]:
    """What the result says was committed is what commit activities returned, and vice versa."""
    receipts = {
        call.end.result.intent: call.end.result
        for call in run.calls
        if call.type == COMMIT and call.end and isinstance(call.end.result, CommitReceipt)
    }
    for intent, told in effects.items():
        state = object_of(told).get("state")
        if intent not in receipts and state not in ("rejected", "expired"):
            yield violation(
                at, intent, "effect", "rejected or expired: nothing was committed", told
            )
    for intent, receipt in receipts.items():
        effect = object_of(effects.get(intent))
        yield from unless_equal(at, intent, "effect", "committed", effect.get("state"))
        yield from unless_equal(at, intent, "by", receipt.approved_by, effect.get("by"))
        if not _same(receipt.receipt, effect.get("receipt")):
            yield violation(at, intent, "receipt", receipt.receipt, effect.get("receipt"))


def _places(at: int, graph: Graph, result: dict[str, Any]) -> Iterator[Violation]:
    """A node has an output, or was skipped, or failed, or is an effect that ended.

    Of an effect for each item of a list, each has an end of its own, or there is none.
    """
    places = Counter[str]()
    for key in ("outputs", "skipped", "failed", "effects"):
        found = result.get(key)
        names = cast("list[Any]", found if isinstance(found, list) else [*object_of(found)])
        places.update(str(name).partition("[")[0] for name in names)
    for name, node in graph.nodes.items():
        if places[name] != 1 and not (node.effect and node.gathers):
            expected = "one of outputs, skipped, failed, effects"
            yield violation(at, name, "result", expected, f"{places[name]} of them")


def _same(expected: Any, found: Any) -> bool:
    """Whether a result shows this value, or its digest in place of it."""
    shown = object_of(found)
    try:
        if OMITTED in shown:
            return shown.get("sha256") == digest(expected)
        return canonical_json(expected) == canonical_json(found)
    except ValueError:  # a number that JSON cannot hold
        return False
