"""The barrier, again: no effect before its gate was open and its ancestry certain (design 6.2).

A gate is decided by the very function that the workflow and the commit worker use, over the signals
that precede the commit in history. So an approval that was moved behind it counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast, get_args

from forerun.activities.intent import CommitReceipt, CommitRequest
from forerun.speculation.approvals import (
    Answer,
    ApprovalSignal,
    Closed,
    Gate,
    Open,
    decide_gate,
    parse_signal,
)
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval
from forerun.workers.audit.launched import promoted
from forerun.workers.audit.run import COMMIT, Call, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation


def check(run: Run) -> Iterator[Violation]:
    """Every commit: once per intent, approved before it, after all that it hangs on."""
    first: dict[str, int] = {}
    for call in run.calls:
        if call.type == COMMIT and isinstance(call.asked, CommitRequest):
            intent = call.asked.intent
            if intent in first:
                found = f"another after event {first[intent]}"
                yield violation(call.event_id, call.node, "commit", f"one of {intent}", found)
            first.setdefault(intent, call.event_id)
            yield from _gate(run, call, call.asked)
            yield from _ancestry(run, call, call.asked)


def gate_of(run: Run, request: CommitRequest, before: int) -> Gate:
    """The gate of an intent, as the signals before an event leave it."""
    card = run.cards.get(request.operation)
    approval = card.approval if card else Approval.REQUIRED
    return decide_gate(
        (answer for event_id, answer in answers(run) if event_id < before),
        intent=request.intent,
        digest=request.digest,
        approval=Approval.EXACT if request.exact else approval,
        approvals=card.approvals if card else 1,
    )


def answers(run: Run) -> Iterator[tuple[int, ApprovalSignal]]:
    """The well-formed approvals and rejections, each with its event."""
    for signal in run.signals:
        if signal.name in get_args(Answer):
            answer = parse_signal(cast("Answer", signal.name), signal.payload)
            if isinstance(answer, ApprovalSignal):
                yield signal.event_id, answer


def _gate(run: Run, call: Call, request: CommitRequest) -> Iterator[Violation]:
    """An approval of exactly this precedes it, and the receipt names who gave it."""
    yield from unless_equal(call.event_id, call.node, "digest", _digest(request), request.digest)
    gate = gate_of(run, request, call.event_id)
    if not isinstance(gate, Open):
        found = f"rejected by {gate.by}" if isinstance(gate, Closed) else "no valid approval"
        yield violation(call.event_id, call.node, "approval", "one before the commit", found)
        return
    end = call.end
    if end is not None and isinstance(end.result, CommitReceipt):
        yield from _receipt(run, end.event_id, request, gate, end.result)


def _receipt(
    run: Run, event_id: int, request: CommitRequest, gate: Open, receipt: CommitReceipt
) -> Iterator[Violation]:
    key = f"{run.workflow_id}/{run.first_run_id}/{request.intent}"
    expected = {
        "intent": request.intent,
        "digest": request.digest,
        "approved_by": gate.by,
        "blind": gate.blind,
        "idempotency_key": key,
    }
    for check, value in expected.items():
        yield from unless_equal(event_id, request.intent, check, value, getattr(receipt, check))


def _ancestry(run: Run, call: Call, request: CommitRequest) -> Iterator[Violation]:
    """Everything that its arguments may go back to had ended."""
    node = request.intent.partition("[")[0]
    if run.graph is None or node not in run.graph.nodes:
        return
    ancestors = set(run.graph.ancestors(node))
    authoritative = [one for one in run.calls if not (one.speculative or one.bought)]
    needs = [(one.node.partition("[")[0], one) for one in authoritative]
    for name, one in [*needs, *promoted(run)]:
        if name in ancestors and (one.end is None or one.end.event_id > call.event_id):
            ended = f"at event {one.end.event_id}" if one.end else "never"
            expected = f"the end of {name} before the commit"
            yield violation(call.event_id, call.node, "ancestry", expected, ended)


def _digest(request: CommitRequest) -> str | None:
    try:
        return digest(request.arguments)
    except ValueError:  # a number that JSON cannot hold
        return None
