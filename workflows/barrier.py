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
    from forerun.speculation.approvals import Answer, Closed, Open, Waiting
    from forerun.speculation.canonical import canonical_json
    from forerun.speculation.effect_class import Approval
    from forerun.speculation.record import plain
    from forerun.workflows.allowance import Allowance
    from forerun.workflows.errands import errand
    from forerun.workflows.failures import message_of
    from forerun.workflows.omission import omitting
    from forerun.workflows.run_state import now_ms
    from forerun.workflows.signals import Signals, plainly

ARGUMENT_BYTES_SHOWN = 1_000_000
"""Of all intents that wait, beside what else the view of them holds."""
SIGNALS_SHOWN = 100
"""That decided nothing, of all intents that wait; at least one for each."""

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
        self._signals = Signals()
        self._intents: dict[str, Intent] = {}
        self._since: dict[str, int] = {}
        self._fresh: list[EffectEnd] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._abandoned = False

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

    def waiting(self) -> list[Intent]:
        """The same, in full."""
        return [self._intents[intent] for intent in self._since]

    def take(self) -> list[EffectEnd]:
        """The intents that ended since the last time."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def receive(self, answer: Answer, payloads: tuple[Any, ...]) -> None:
        """Keep a signal, whatever it holds."""
        self._signals.receive(answer, payloads, waiting=self._since, known=self._intents)

    def open(self, intent: Intent, timeout_seconds: float | None) -> None:
        """Wait for the gate of an intent whose ancestry is authoritative, then commit it."""
        self._intents[intent.intent] = intent
        self._since[intent.intent] = now_ms()
        self._tasks[intent.intent] = errand(self._pass(intent, timeout_seconds))

    def abandon(self) -> None:
        """The run is being cancelled: nobody will be asked any more. Commits run to their end.

        No task is cancelled: one that has not begun yet would never end.
        """
        self._abandoned = True

    def pending(self, only: str | None = None) -> dict[str, Any]:
        """What waits for approval, or `only` one of it, and the signals that decided nothing."""
        shown = {name: self._shown(name) for name in self._since if only in (None, name)}
        return {
            "intents": list(omitting(shown, ARGUMENT_BYTES_SHOWN, within="arguments").values()),
            **self._signals.view(self._intents),
        }

    async def _pass(self, intent: Intent, timeout_seconds: float | None) -> None:
        try:
            end = await self._passed(intent, timeout_seconds)
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
                lambda: self._abandoned or not isinstance(self._signals.gate(intent), Waiting),
                timeout=timeout,
                timeout_summary=f"approval of {intent.intent} expires",
            )
        except TimeoutError:
            self._signals.over(intent)
            return EffectEnd(intent=intent.intent, state="expired", person_ms=now_ms() - began)
        person_ms = 0 if intent.approval is Approval.AUTO else now_ms() - began
        size = len(canonical_json(intent.arguments).encode())
        while not (self._abandoned or self.allowance.take(size)):
            await workflow.sleep(NEXT_TASK)
        if self._abandoned:
            return EffectEnd(intent=intent.intent, state="failed", error="the run was cancelled")
        # Nothing may come between this look at the gate and the commit: the commit worker refuses
        # what was rejected before it was scheduled.
        match self._signals.over(intent):
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

    def _shown(self, name: str) -> dict[str, Any]:
        intent = self._intents[name]
        gate = self._signals.gate(intent)
        most = max(1, SIGNALS_SHOWN // len(self._since))
        return {
            "intent": intent.intent,
            "operation": intent.operation,
            "arguments": intent.arguments,
            "digest": intent.digest,
            "approval": intent.approval.value,
            "approximations": plain(intent.approximations),
            "approvals": intent.approvals,
            "approved_by": gate.approvers if isinstance(gate, Waiting) else (),
            "effect": intent.effect.value,
            "since_ms": self._since[name],
            "ignored": [plainly(it) for it in gate.ignored[:most]],
            "ignored_count": len(gate.ignored),
        }
