"""The commit worker's only activity: it performs an effect whose gate the *server* says is open.

It trusts nothing it is handed. Which run asks is what the server told the worker; whether somebody
approved is what that run's history says, up to the event that scheduled this very commit; whether
anybody has to be asked is what this worker's own registry says. So a workflow with a bug, or one
that lies, cannot commit what nobody approved.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from pydantic import BaseModel
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from forerun.activities.effects.evidence import Evidence, read_evidence
from forerun.activities.failures import details_of
from forerun.activities.heartbeat import heartbeating
from forerun.activities.intent import CommitReceipt, CommitRequest
from forerun.activities.registration import Commit
from forerun.activities.registry import Operation, Registry
from forerun.activities.stageable import idempotency_key
from forerun.activities.tool_call import billed_failure, brief, declared_bill
from forerun.speculation.approvals import Closed, Open, Waiting, decide_gate
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval

COMMIT_REFUSED = "CommitRefused"

_SHOWN_SIGNALS = 3


class Commits:
    """The activity that commits the effects of `registry`; `client` reads the histories."""

    def __init__(self, registry: Registry, client: Client) -> None:
        self._registry = registry
        self._client = client

    @activity.defn(name="commit")
    async def commit(self, request: CommitRequest) -> CommitReceipt:
        """Perform the effect once, or refuse.

        Raises:
            ApplicationError: refused, or invalid arguments (neither is retried), or whatever the
                effect itself raised, with the bill; the next attempt has the same key.
        """
        effect = self._registry.effect(request.operation, request.version)
        arguments = effect.parse(request.arguments)
        bill = declared_bill(effect.card, activity.info().attempt)
        began = time.monotonic()
        async with heartbeating(lambda: details_of(bill)):
            commit, gate = await self._checked(request, effect)
            try:
                receipt = await _to_its_end(_within_time(effect, arguments, commit))
            except Exception as error:  # noqa: BLE001 - raised anew, with its bill
                raise billed_failure(effect.card, bill, error) from brief(error)
        return CommitReceipt(
            intent=request.intent,
            idempotency_key=commit.idempotency_key,
            digest=commit.digest,
            approved_by=gate.by,
            blind=gate.blind,
            receipt=receipt,
            bill=bill,
            seconds=time.monotonic() - began,
        )

    async def _checked(self, request: CommitRequest, effect: Operation) -> tuple[Commit, Open]:
        evidence = await read_evidence(self._client, activity.info())
        if evidence is None:
            raise _refusal(request, "the run that asks for it never scheduled it")
        actual = digest(request.arguments)
        if request.digest != actual:
            raise _refusal(request, f"its arguments have digest {actual:.12}, not the one it names")
        _check_only_one(request, evidence)
        gate = _open_gate(request, effect, evidence)
        commit = Commit(
            idempotency_key=idempotency_key(
                evidence.workflow_id, evidence.first_run_id, request.intent
            ),
            digest=actual,
            intent=request.intent,
            workflow_id=evidence.workflow_id,
            run_id=evidence.run_id,
            approved_by=gate.by,
        )
        return commit, gate


def _check_only_one(request: CommitRequest, evidence: Evidence) -> None:
    """The sink refuses a second commit too; this one also holds for a sink that forgets."""
    for other in evidence.earlier:
        same = (other.operation, other.digest) == (request.operation, request.digest)
        if other.intent == request.intent and not same:
            problem = "the run asked for it before with other arguments; use an intent of its own"
            raise _refusal(request, problem)


def _open_gate(request: CommitRequest, effect: Operation, evidence: Evidence) -> Open:
    gate = decide_gate(
        evidence.signals,
        intent=request.intent,
        digest=request.digest,
        approval=Approval.EXACT if request.exact else effect.card.approval,
        approvals=effect.card.approvals,
    )
    match gate:
        case Open():
            return gate
        case Closed(by=by):
            raise _refusal(request, f"rejected by {by!r:.80}")
        case Waiting():
            raise _refusal(request, _still_missing(gate, effect.card.approvals))


def _still_missing(gate: Waiting, approvals: int) -> str:
    by = f" but that of {', '.join(gate.approvers)!r:.80}" if gate.approvers else ""
    needed = f", and it needs {approvals} people" if approvals > 1 else ""
    first, more = gate.ignored[:_SHOWN_SIGNALS], len(gate.ignored) - _SHOWN_SIGNALS
    passed_over = "".join(f"; {it.signal.by!r:.80} {it.reason}" for it in first)
    passed_over += f"; and {more} more" if more > 0 else ""
    return f"no approval of it{by} precedes the commit in the history{needed}{passed_over}"


async def _to_its_end(effect: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """What `effect` returns, even if the commit is cancelled meanwhile.

    A row being written in a thread cannot be called back, so a cancelled commit must not report
    that nothing happened.
    """
    running = asyncio.ensure_future(effect)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        return await running


async def _within_time(effect: Operation, arguments: BaseModel, commit: Commit) -> dict[str, Any]:
    async with asyncio.timeout(effect.card.timeout_seconds):
        receipt = await effect.run(arguments, commit)
    return effect.output(receipt)


def _refusal(request: CommitRequest, problem: str) -> ApplicationError:
    return ApplicationError(
        f"commit of {request.intent!r:.200} ({request.operation}) refused: {problem}",
        type=COMMIT_REFUSED,
        non_retryable=True,
    )
