"""What a worker process can be: four roles, each polling a queue of its own.

The law: authoritative calls, speculative calls, effects and decisions never share a queue, so none
can crowd out another, and each may run in a process of its own. Only the role `commit` ever opens
the database of an effect; the others know effects by their cards alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from forerun import __version__
from forerun.activities.decisions import Decisions
from forerun.activities.effects.commit import Commits
from forerun.activities.effects.staging import Stages
from forerun.activities.equivalence import EquivalenceChecks
from forerun.activities.model_call import ModelCalls
from forerun.activities.namespace import Namespaces
from forerun.activities.price_lookup import CancelPolicies, Prices
from forerun.activities.promotion import Promotions
from forerun.activities.registry import Registry
from forerun.activities.tool_call import ToolCalls
from forerun.activities.wording import Wording
from forerun.workflows.agent_dag import AgentDag
from forerun.workflows.options import (
    CALLS_QUEUE,
    COMMIT_QUEUE,
    SPECULATIVE_QUEUE,
    WORKFLOW_QUEUE,
)


class Role(StrEnum):
    """What a worker does."""

    WORKFLOW = "workflow"
    CALL = "call"
    SPECULATIVE = "speculative"
    COMMIT = "commit"

    @property
    def queue(self) -> str:
        """The task queue that it polls."""
        return QUEUES[self]


QUEUES: Mapping[Role, str] = MappingProxyType(
    {
        Role.WORKFLOW: WORKFLOW_QUEUE,
        Role.CALL: CALLS_QUEUE,
        Role.SPECULATIVE: SPECULATIVE_QUEUE,
        Role.COMMIT: COMMIT_QUEUE,
    }
)

SPECULATIVE_SLOTS = 8
HEARTBEAT_THROTTLE = timedelta(milliseconds=250)
"""A cut reaches an activity with the answer to a heartbeat, where the server cannot push it."""
GRACE = timedelta(seconds=5)
"""How long calls in flight may go on when a worker stops; then Temporal retries them elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the workers of one process are made of, independent of any server."""

    registry: Registry
    prices: Prices
    cancel_billing: CancelPolicies
    model_calls: ModelCalls
    equivalence_checks: EquivalenceChecks


def worker_of(role: Role, client: Client, parts: Parts, *, speculative_slots: int) -> Worker:
    """The worker that plays `role`; it is not running yet."""
    return Worker(
        client,
        task_queue=role.queue,
        workflows=[AgentDag] if role is Role.WORKFLOW else [],
        activities=activities_of(role, client, parts),
        max_concurrent_activities=speculative_slots if role is Role.SPECULATIVE else None,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        # An eager activity goes past the queue, its rate limit and its priority.
        disable_eager_activity_execution=True,
        graceful_shutdown_timeout=GRACE,
        # Left to itself the SDK compiles every module of the process for this: three seconds.
        build_id=f"forerun-{__version__}",
    )


def beside_workflows(parts: Parts) -> list[Callable[..., Any]]:
    """What must run where workflows do: decisions are local activities."""
    decisions = Decisions(
        prices=parts.prices, cancel_billing=parts.cancel_billing, cards=parts.registry.cards
    )
    return [
        decisions.open_run,
        decisions.learn,
        decisions.decide,
        decisions.settle,
        Wording().compare_wording,
        Promotions().promote,
        Namespaces().registered_search_attributes,
    ]


def activities_of(role: Role, client: Client, parts: Parts) -> Sequence[Callable[..., Any]]:
    """What a worker in this role can be asked to do."""
    match role:
        case Role.WORKFLOW:
            return beside_workflows(parts)
        case Role.CALL:
            compare = parts.equivalence_checks.compare
            return [parts.model_calls.model_call, ToolCalls(parts.registry).tool_call, compare]
        case Role.SPECULATIVE:
            return [parts.model_calls.model_call, ToolCalls(parts.registry).tool_call]
        case Role.COMMIT:
            stages = Stages(parts.registry, client)
            commits = Commits(parts.registry, client)
            return [commits.commit, stages.stage, stages.discard, stages.sweep]
