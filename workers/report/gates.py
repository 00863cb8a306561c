"""Waits for people: from when an intent's ancestry was certain until its gate was decided."""

from __future__ import annotations

from collections.abc import Iterator

from forerun.activities.intent import CommitRequest
from forerun.speculation.approvals import ApprovalSignal, parse_signal
from forerun.speculation.effect_class import Approval
from forerun.workers.audit.launched import makers
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import COMMIT, Run
from forerun.workers.report.figures import milliseconds
from forerun.workers.report.lanes import Kind, Span
from forerun.workflows.graph import Graph


def gates(run: Run) -> list[tuple[str, Span]]:
    """The wait of every intent that asked somebody; none of a run whose graph is not known."""
    graph = run.graph
    if graph is None:
        return []
    certain = _certain_from(run, graph)
    return list(_waits(run, graph, certain))


def _waits(run: Run, graph: Graph, certain: dict[str, int | None]) -> Iterator[tuple[str, Span]]:
    began, commits = run.began_ms, _commits(run)
    for name, node in graph.nodes.items():
        card = run.cards.get(node.spec.operation) if node.effect else None
        ready = [certain[up] for up in node.upstream]
        if card is None or card.approval is Approval.AUTO or None in ready:
            continue
        since = max([began, *(ms for ms in ready if ms is not None)])
        intents = [intent for intent in commits if intent.partition("[")[0] == name] or [name]
        for intent in intents if _asked(run, name) else []:
            until, how = _decided(run, intent, commits)
            if until > since:
                words = f"{how}, {milliseconds(until - since)}"
                yield (
                    intent,
                    Span(
                        kind=Kind.GATE,
                        begin_ms=since - began,
                        begun_ms=since - began,
                        end_ms=until - began,
                        words=words,
                    ),
                )


def _asked(run: Run, name: str) -> bool:
    """Whether the run came as far as to ask: a skipped or stopped effect asks nobody."""
    result = run.close.result or {}
    return name not in (result.get("skipped") or ()) and name not in object_of(result.get("failed"))


def _decided(run: Run, intent: str, commits: dict[str, int]) -> tuple[int, str]:
    """Until when it waited, and for what."""
    if intent in commits:
        return commits[intent], Kind.GATE.words
    end = object_of(object_of((run.close.result or {}).get("effects")).get(intent)).get("state")
    for signal in run.signals if end == "rejected" else ():
        answer = parse_signal("reject", signal.payload) if signal.name == "reject" else None
        if isinstance(answer, ApprovalSignal) and answer.intent == intent:
            return run.times.get(signal.event_id, 0), f"{Kind.GATE.words} until it was rejected"
    return run.ended_ms, f"{Kind.GATE.words}{' until it expired' if end == 'expired' else ''}"


def _commits(run: Run) -> dict[str, int]:
    """When each commit was asked for."""
    return {
        call.asked.intent: call.asked_ms
        for call in reversed(run.calls)
        if call.type == COMMIT and isinstance(call.asked, CommitRequest)
    }


def _certain_from(run: Run, graph: Graph) -> dict[str, int | None]:
    """When the output of each node was certain: not before that of all it needs; None if never."""
    ends: dict[str, int | None] = {}
    for node, calls in makers(run).items():
        heard = [call.end.heard_ms for call in calls if call.end and call.end.heard_ms]
        ends[node] = min(heard, default=None)
    certain: dict[str, int | None] = {}
    skipped = (run.close.result or {}).get("skipped") or ()
    for name, node in graph.nodes.items():
        own = [ms for made, ms in ends.items() if made == name or made.startswith(f"{name}[")]
        needs = [certain[up] for up in node.upstream]
        all_known = None not in needs and None not in own
        over = bool(own) or name in skipped or node.gathers
        known = [ms for ms in (*own, *needs) if ms is not None]
        certain[name] = max([run.began_ms, *known]) if all_known and over else None
    return certain
