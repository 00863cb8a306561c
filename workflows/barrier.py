"""The commit barrier: the only place where a wish becomes a fact.

An effect arrives here as an intent, plain data, once its whole ancestry is authoritative. It leaves
through the commit activity after a signal has named it; signals may come early, twice, for others,
or not parse: each is kept and shown, and none does harm. The commit worker checks all of it again,
in the server's history.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from temporalio import workflow
from temporalio.exceptions import ActivityError

from forerun.workflows.options import (
    CANCELLATION,
    COMMIT_QUEUE,
    COMMIT_RETRY,
    COMMIT_TIMEOUT,
    HEARTBEAT_TIMEOUT,
    NEXT_TASK,
)

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Bill
    from forerun.activities.effects.commit import Commits
    from forerun.activities.failures import bill_of_failure
    from forerun.activities.intent import CommitReceipt, Intent
    from forerun.speculation.approvals import (
        Answer,
        ApprovalSignal,
        Closed,
        Malformed,
        Open,
        Waiting,
        decide_gate,
        parse_signal,
    )
    from forerun.speculation.canonical import canonical_json
    from forerun.speculation.effect_class import Approval
    from forerun.speculation.record import plain
    from forerun.workflows.allowance import Allowance
    from forerun.workflows.failures import message_of
    from forerun.workflows.run_state import now_ms

KEPT_MALFORMED = 100
SHOWN_LENGTH = 200

EffectState = Literal["committed", "rejected", "expired", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectEnd:
    """What became of an intent. `person_ms` is how long it waited for people."""

    intent: str
    state: EffectState
    by: str | None = None
    receipt: CommitReceipt | None = None
    error: str | None = None
    bill: Bill | None = None
    person_ms: int = 0

    def as_result(self) -> dict[str, Any]:
        """Its entry in the run's result."""
        receipt = self.receipt.receipt if self.receipt else None
        return {"state": self.state, "by": self.by, "receipt": receipt}


class Barrier:
    """The gates of one run. Its commits share the allowance of a task with the run's calls."""

    def __init__(self) -> None:
        self.allowance = Allowance()
        self.ends: dict[str, EffectEnd] = {}
        self._signals: list[ApprovalSignal] = []
        self._malformed: list[dict[str, str]] = []
        self._malformed_count = 0
        self._intents: dict[str, Intent] = {}
        self._since: dict[str, int] = {}
        self._fresh: list[EffectEnd] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def has_ended(self) -> bool:
        """Some intent has ended since `take` was last called."""
        return bool(self._fresh)

    @property
    def joined(self) -> bool:
        """No intent waits or is being committed."""
        return not self._tasks

    @property
    def awaiting(self) -> list[str]:
        """The intents that wait for people."""
        return list(self._since)

    def take(self) -> list[EffectEnd]:
        """The intents that ended since the last time."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def receive(self, answer: Answer, payloads: tuple[Any, ...]) -> None:
        """Keep a signal, whatever it holds."""
        payload = payloads[0] if len(payloads) == 1 else list(payloads)
        signal = parse_signal(answer, payload)
        if isinstance(signal, Malformed):
            self._keep_malformed(answer, payload, signal.reason)
        else:
            self._signals.append(signal)

    def open(self, intent: Intent, timeout_seconds: float | None) -> None:
        """Wait for the gate of an intent whose ancestry is authoritative, then commit it."""
        self._intents[intent.intent] = intent
        self._since[intent.intent] = now_ms()
        passing = self._pass(intent, timeout_seconds)
        self._tasks[intent.intent] = asyncio.create_task(passing)

    def abandon(self) -> None:
        """The run is being cancelled: nobody will be asked any more. Commits run to their end."""
        for intent in self.awaiting:
            self._tasks[intent].cancel()

    def pending(self) -> dict[str, Any]:
        """What waits for approval, and the signals that decided nothing."""
        return {
            "intents": [self._shown(self._intents[intent]) for intent in self._since],
            "early": [
                {"signal": s.answer, "node": s.intent, "by": s.by}
                for s in self._signals
                if s.intent not in self._intents
            ],
            "malformed": self._malformed,
            "malformed_count": self._malformed_count,
        }

    async def _pass(self, intent: Intent, timeout_seconds: float | None) -> None:
        try:
            end = await self._passed(intent, timeout_seconds)
        except asyncio.CancelledError:
            end = EffectEnd(intent=intent.intent, state="failed", error="the run was cancelled")
        finally:
            self._since.pop(intent.intent, None)
            del self._tasks[intent.intent]
        self.ends[intent.intent] = end
        self._fresh.append(end)

    async def _passed(self, intent: Intent, timeout_seconds: float | None) -> EffectEnd:
        began = now_ms()
        timeout = timedelta(seconds=timeout_seconds) if timeout_seconds else None
        try:
            await workflow.wait_condition(
                lambda: not isinstance(self._gate(intent), Waiting),
                timeout=timeout,
                timeout_summary=f"approval of {intent.intent} expires",
            )
        except TimeoutError:
            return EffectEnd(intent=intent.intent, state="expired", person_ms=now_ms() - began)
        person_ms = 0 if intent.approval is Approval.AUTO else now_ms() - began
        while not self.allowance.take(len(canonical_json(intent.arguments).encode())):
            await workflow.sleep(NEXT_TASK)
        # Nothing may come between this look at the gate and the commit: the commit worker refuses
        # what was rejected before it was scheduled.
        match self._gate(intent):
            case Open() as gate:
                self._since.pop(intent.intent, None)
                return await self._commit(intent, gate, person_ms)
            case Closed(by=by):
                return EffectEnd(intent=intent.intent, state="rejected", by=by, person_ms=person_ms)
            case Waiting():  # the condition above rules it out
                raise AssertionError(intent.intent)

    async def _commit(self, intent: Intent, gate: Open, person_ms: int) -> EffectEnd:
        blind = " (blind)" if gate.blind else ""
        try:
            receipt = await workflow.execute_activity_method(
                Commits.commit,
                intent.request(),
                activity_id=f"commit:{intent.intent}",
                task_queue=COMMIT_QUEUE,
                start_to_close_timeout=COMMIT_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=COMMIT_RETRY,
                cancellation_type=CANCELLATION,
                summary=f"commit {intent.intent}: {intent.operation}, approved by {gate.by}{blind}",
            )
        except ActivityError as failure:
            return EffectEnd(
                intent=intent.intent,
                state="failed",
                by=gate.by,
                error=message_of(failure),
                bill=bill_of_failure(failure),
                person_ms=person_ms,
            )
        return EffectEnd(
            intent=intent.intent,
            state="committed",
            by=receipt.approved_by,
            receipt=receipt,
            bill=receipt.bill,
            person_ms=person_ms,
        )

    def _gate(self, intent: Intent) -> Open | Closed | Waiting:
        return decide_gate(
            self._signals,
            intent=intent.intent,
            digest=intent.digest,
            approval=intent.approval,
            approvals=intent.approvals,
        )

    def _shown(self, intent: Intent) -> dict[str, Any]:
        gate = self._gate(intent)
        return {
            "intent": intent.intent,
            "operation": intent.operation,
            "arguments": intent.arguments,
            "digest": intent.digest,
            "approval": intent.approval.value,
            "approvals": intent.approvals,
            "approved_by": gate.approvers if isinstance(gate, Waiting) else (),
            "approximations": plain(intent.approximations),
            "effect": intent.effect.value,
            "since_ms": self._since[intent.intent],
            "ignored": [
                {"signal": it.signal.answer, "by": it.signal.by, "why": it.reason}
                for it in gate.ignored
            ],
        }

    def _keep_malformed(self, answer: str, payload: Any, reason: str) -> None:
        self._malformed_count += 1
        if len(self._malformed) < KEPT_MALFORMED:
            # repr, because it cannot fail: bytes and NaN are payloads too, and an error in a signal
            # handler would retry the workflow task for ever.
            shown = repr(payload)[:SHOWN_LENGTH]
            self._malformed.append({"signal": answer, "payload": shown, "why": reason})
