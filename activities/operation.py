"""What a run knows of an operation, and how it asks for one: plain data, no code.

How an operation is declared is in `activities.registration`, which of them a worker has in
`activities.registry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from forerun.speculation.disclosure import ALLOW, Disclosure
from forerun.speculation.effect_class import Approval, EffectClass


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCard:
    """All that a run needs to know of a registered operation; recorded in its history at start."""

    name: str
    version: str
    effect: EffectClass
    arguments: dict[str, Any]
    """JSON Schema of the arguments object."""
    usd: Decimal = Decimal(0)
    """Dollars per call: of a tool, of a commit, and of a stage ahead of it."""
    seconds: float = 1.0
    """Expected duration, where the spec gives no estimate."""
    max_age_seconds: float = 60.0
    """How old a speculative result of a `read` may be when it is promoted."""
    timeout_seconds: float = 60.0
    """How long one attempt may take."""
    approval: Approval = Approval.REQUIRED
    """What the gate of an effect asks for; a tool has none."""
    approvals: int = 1
    """How many different people must approve."""
    disclosure: Disclosure = ALLOW
    """What a speculative call of it may send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """One call of a registered tool."""

    operation: str
    version: str
    arguments: dict[str, Any]
