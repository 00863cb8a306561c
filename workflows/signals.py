"""What people have said of the intents of one run: kept and shown, whatever it was.

The law: nothing here raises, and nothing is lost in silence. Anybody may signal, as often as the
server lets them, early, twice, too late, for another intent, or what is no approval at all. An error
in a signal handler would retry the workflow task for ever; an answer that held all of 10,000 signals
would be more than the server passes on, and nobody could see what waits.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.intent import Intent
    from forerun.speculation.approvals import (
        LATE,
        Answer,
        ApprovalSignal,
        Gate,
        Ignored,
        Malformed,
        decide_gate,
        parse_signal,
        unheeded,
    )

SHOWN = 100
"""Of each kind; the rest is counted, and all are in the history."""
SHOWN_LENGTH = 200


class Signals:
    """The approvals and rejections that a run has received, in the order of its history.

    By intent: whatever happens, each gate that waits is looked at, and others may have thousands.
    """

    def __init__(self) -> None:
        self._said: dict[str, list[ApprovalSignal]] = {}
        self._late: list[Ignored] = []
        self._malformed: list[dict[str, str]] = []
        self._malformed_count = 0

    def receive(
        self,
        answer: Answer,
        payloads: tuple[Any, ...],
        *,
        waiting: Collection[str],
        known: Collection[str],
    ) -> None:
        """Keep a signal, whatever it holds; one for an intent that waits no more is too late."""
        payload = payloads[0] if len(payloads) == 1 else list(payloads)
        signal = parse_signal(answer, payload)
        if isinstance(signal, Malformed):
            self._keep_malformed(answer, payload, signal.reason)
        elif signal.intent in known and signal.intent not in waiting:
            self._late.append(Ignored(signal=signal, reason=LATE))
        else:
            self._said.setdefault(signal.intent, []).append(signal)

    def gate(self, intent: Intent) -> Gate:
        """How the gate of an intent stands."""
        return decide_gate(
            self._said.get(intent.intent, ()),
            intent=intent.intent,
            digest=intent.digest,
            approval=intent.approval,
            approvals=intent.approvals,
        )

    def over(self, intent: Intent) -> Gate:
        """How its gate stands now that the intent waits no more."""
        gate = self.gate(intent)
        self._late += unheeded(self._said.get(intent.intent, ()), gate)
        return gate

    def view(self, known: Collection[str]) -> dict[str, Any]:
        """Signals that decided nothing: too early for any intent, too late for theirs, malformed."""
        unknown = (said for intent, said in self._said.items() if intent not in known)
        early = [signal for said in unknown for signal in said]
        return {
            "early": [_named(signal) for signal in early[:SHOWN]],
            "early_count": len(early),
            "late": [{**_named(it.signal), "why": it.reason} for it in self._late[:SHOWN]],
            "late_count": len(self._late),
            "malformed": self._malformed,
            "malformed_count": self._malformed_count,
        }

    def _keep_malformed(self, answer: str, payload: Any, reason: str) -> None:
        self._malformed_count += 1
        if len(self._malformed) < SHOWN:
            # repr, because it cannot fail: bytes and NaN are payloads too.
            shown = repr(payload)[:SHOWN_LENGTH]
            self._malformed.append({"signal": answer, "payload": shown, "why": reason})


def plainly(ignored: Ignored) -> dict[str, str]:
    """A signal that did not count, to those who look at the intent that it was for."""
    signal = ignored.signal
    return {"signal": signal.answer, "by": signal.by, "why": ignored.reason}


def _named(signal: ApprovalSignal) -> dict[str, str]:
    return {"signal": signal.answer, "node": signal.intent, "by": signal.by}
