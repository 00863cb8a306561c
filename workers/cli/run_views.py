"""What a live run answers to queries, as commands show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An intent at its gate: `approvals` people must approve it, `approved_by` have done so."""

    intent: str
    operation: str
    arguments: dict[str, Any]
    digest: str
    since_ms: int
    approximations: tuple[dict[str, Any], ...] = ()
    approvals: int = 1
    approved_by: tuple[str, ...] = ()
    ignored: tuple[dict[str, str], ...] = ()
    ignored_count: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """A speculation that is running, or done and not yet claimed."""

    node: str
    assuming: str
    running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands. `nodes` are states by name; all is empty until a worker took it up."""

    nodes: dict[str, str]
    ahead: tuple[Ahead, ...]
    speculations: dict[str, int] = field(default_factory=dict[str, int])
    spent_usd: str = "0"
    wasted_usd: str = "0"


PROGRESS = TypeAdapter(Progress)
WAITING = TypeAdapter(list[Waiting])
