"""Waits for people: from when an intent's ancestry was certain until its gate was decided."""

from __future__ import annotations

from collections.abc import Iterator

from forerun.speculation.effect_class import Approval
from forerun.speculation.record import Outcome
from forerun.workers.audit.launched import makers
from forerun.workers.audit.laws.gates import answers
from forerun.workers.audit.run import Call, Run
from forerun.workers.report.figures import milliseconds
from forerun.workers.report.lanes import Kind, Span
from forerun.workers.report.told import told
from forerun.workflows.graph import Graph
from forerun.workflows.node import Node


def gates(run: Run) -> list[tuple[str, Span]]:
    """The wait of every intent that asked somebody; none of a run whose graph is not known."""
    graph = run.graph
    if graph is None:
        return []
    certain = _certain_from(run, graph)
    return list(_waits(run, graph, certain))


def _waits(run: Run, graph: Graph, certain: dict[str, int | None]) -> Iterator[tuple[str, Span]]:
    commits = {intent: call.asked_ms for intent, call in run.commits.items()}
    for node in graph.nodes.values():
        since = _since(run, node, certain)
        if since is None:
            continue
        intents = [intent for intent in commits if intent.partition("[")[0] == node.name]
        for intent in intents or [node.name]:
            until, how = _decided(run, intent, commits)
            # Whoever is asked by the last event of a live run has waited for no time yet.
            asked_last = intent not in commits and until == run.ended_ms
            if until > since or asked_last:
                yield intent, _span(since - run.began_ms, until - run.began_ms, how)


def _since(run: Run, node: Node, certain: dict[str, int | None]) -> int | None:
    """From when an effect waited; None of one that asked nobody, or did not come so far."""
    card = run.cards.get(node.spec.operation) if node.effect else None
    needs = [certain[up] for up in node.upstream]
    gone = {*told(run).skipped, *told(run).failed}
    if card is None or card.approval is Approval.AUTO or node.name in gone or None in needs:
        return None
    return max([run.began_ms, *(ms for ms in needs if ms is not None)])


def _span(begin_ms: int, end_ms: int, how: str) -> Span:
    return Span(
        kind=Kind.GATE,
        begin_ms=begin_ms,
        begun_ms=begin_ms,
        end_ms=end_ms,
        words=f"{how}, {milliseconds(end_ms - begin_ms)}",
    )


def _decided(run: Run, intent: str, commits: dict[str, int]) -> tuple[int, str]:
    """Until when it waited, and for what."""
    if intent in commits:
        return commits[intent], Kind.GATE.words
    end = told(run).effects.get(intent, {}).get("state")
    for event_id, said in answers(run) if end == "rejected" else ():
        if said.answer == "reject" and said.intent == intent:
            return run.times.get(event_id, 0), f"{Kind.GATE.words} until it was rejected"
    return run.ended_ms, f"{Kind.GATE.words}{' until it expired' if end == 'expired' else ''}"


def _certain_from(run: Run, graph: Graph) -> dict[str, int | None]:
    """When the output of each node was certain: not before that of all it needs; None if never."""
    ends = _ends(run)
    certain: dict[str, int | None] = {}
    skipped = told(run).skipped
    for name, node in graph.nodes.items():
        own = [ms for made, ms in ends.items() if made == name or made.startswith(f"{name}[")]
        needs = [certain[up] for up in node.upstream]
        over = bool(own) or name in skipped or node.gathers
        known = [ms for ms in (*own, *needs) if ms is not None]
        certain[name] = max([run.began_ms, *known]) if over and None not in (*own, *needs) else None
    return certain


def _ends(run: Run) -> dict[str, int | None]:
    """When each node had its output: that of a speculation only once it was promoted."""
    promoted = {o.speculation: run.times.get(event_id) for event_id, o in run.of(Outcome)}
    return {
        node: min(
            (ms for call in calls if (ms := promoted.get(call.id, _heard(call))) is not None),
            default=None,
        )
        for node, calls in makers(run).items()
    }


def _heard(call: Call) -> int | None:
    return call.end.heard_ms if call.end else None
