"""Effects: what was committed or not, with whose approval, of which arguments, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forerun.activities.intent import CommitReceipt, CommitRequest
from forerun.speculation.approvals import ApprovalSignal, Ignored, Open
from forerun.workers.audit.laws.gates import answers, gate_of
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import Call, Run
from forerun.workers.report.figures import moment
from forerun.workers.report.told import told

MOST_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A signal for an intent. `ignored` says why it decided nothing; it is empty if it counted."""

    by: str
    answer: str
    at: str
    of: str
    note: str
    ignored: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One intent. Arguments and digest are in the history only once it is committed."""

    intent: str
    state: str
    operation: str | None
    digest: str | None
    arguments: str | None
    committed: str | None
    receipt: str | None
    approvals: tuple[Approval, ...]


def effects(run: Run) -> list[Effect]:
    """Every intent that came to an end or that somebody signalled about."""
    ends = told(run).effects
    commits = run.commits
    intents = dict.fromkeys([*commits, *ends, *(answer.intent for _, answer in answers(run))])
    return [_effect(run, intent, commits.get(intent), ends.get(intent)) for intent in intents]


def pretty(value: Any) -> str:
    """JSON for people, cut where it becomes a book."""
    words = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    left = len(words) - MOST_CHARACTERS
    return f"{words[:MOST_CHARACTERS]}… ({left} characters more)" if left > 0 else words


def _effect(run: Run, intent: str, commit: Call | None, end: Any) -> Effect:
    request = commit.asked if commit and isinstance(commit.asked, CommitRequest) else None
    done = commit.end if commit else None
    known = commit is not None or run.graph is None or _operation(run, intent) is not None
    receipt = done.result if done and isinstance(done.result, CommitReceipt) else None
    return Effect(
        intent=intent,
        state=_state(object_of(end).get("state"), commit, receipt) if known else "no such intent",
        operation=request.operation if request else _operation(run, intent),
        digest=request.digest if request else None,
        arguments=pretty(request.arguments) if request else None,
        committed=moment(done.at_ms) if done and receipt else None,
        receipt=pretty(receipt.receipt) if receipt and receipt.receipt else None,
        approvals=tuple(_approvals(run, intent, request)),
    )


def _state(told: Any, commit: Call | None, receipt: CommitReceipt | None) -> str:
    if receipt is not None:
        return "committed"
    if isinstance(told, str):
        return told
    return "not committed" if commit is None else "commit without a receipt"


def _operation(run: Run, intent: str) -> str | None:
    node = run.graph.nodes.get(intent.partition("[")[0]) if run.graph else None
    return node.spec.operation if node and node.effect else None


def _approvals(run: Run, intent: str, request: CommitRequest | None) -> Iterator[Approval]:
    gate = gate_of(run, request, run.events + 1) if request else None
    ignored = list(gate.ignored) if gate else []
    approvers = list(gate.approvers) if isinstance(gate, Open) else []
    for event_id, answer in answers(run):
        if answer.intent == intent:
            yield Approval(
                by=answer.by,
                answer="approved" if answer.answer == "approve" else "rejected",
                at=moment(run.times.get(event_id, 0)),
                of=f"digest {answer.digest[:12]}" if answer.digest else "blind, whatever it says",
                note=answer.note or "",
                ignored=_ignored(answer, ignored, approvers) if request else "",
            )


def _ignored(answer: ApprovalSignal, ignored: list[Ignored], approvers: list[str]) -> str:
    """Why an answer decided nothing; empty if it counted."""
    reason = next((it for it in ignored if it.signal == answer), None)
    if reason is not None:
        ignored.remove(reason)
        return reason.reason
    if answer.by in approvers:
        approvers.remove(answer.by)
        return ""
    return "came when it was decided already"
