"""Operations of a user's own, for tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import reduce
from typing import Any

from forerun.activities.registration import Arguments, Commit, operation
from forerun.activities.stageable import Stage, discards, lists_stages, stages
from forerun.speculation.disclosure import ALLOW, BLOCK, DEFER, Disclosure, redact
from forerun.speculation.effect_class import EffectClass


class About(Arguments):
    """What to read."""

    topic: str


@operation("gauge.read", version="1", effect=EffectClass.READ, max_age_seconds=0.3, seconds=0.5)
async def read_gauge(arguments: About) -> str:
    """A reading that is old after 0.3 s."""
    return f"reading of {arguments.topic}"


@operation("clock.read", version="1", effect=EffectClass.READ, timeout_seconds=33)
async def read_clock(arguments: About) -> str:
    """A reading that may take 33 s."""
    return arguments.topic


class Much(Arguments):
    """How much of it."""

    much: int


@operation("deep.read", version="1", effect=EffectClass.READ)
async def read_deep(arguments: Much) -> Any:
    """Lists in lists."""
    return reduce(lambda inner, _: [inner], range(arguments.much), 1)


@operation("loud.read", version="1", effect=EffectClass.READ)
async def read_loud(arguments: Much) -> str:
    """Fails, and says much about it."""
    raise LookupError("x" * arguments.much)


class Customer(Arguments):
    """Whom to read about, and what."""

    topic: str
    email: str


ASKED: list[tuple[str, dict[str, Any], float]] = []
"""What the provider of the customer data was asked: operation, arguments, Unix time."""


def _reader(name: str, disclosure: Disclosure) -> Callable[..., Awaitable[str]]:
    @operation(name, version="1", effect=EffectClass.READ, seconds=0.5, disclosure=disclosure)
    async def read(arguments: Customer) -> str:
        ASKED.append((name, arguments.model_dump(), time.time()))
        return f"{arguments.topic} of {arguments.email}"

    return read


read_allowed = _reader("customer.allowed", ALLOW)
read_deferred = _reader("customer.deferred", DEFER)
read_redacted = _reader("customer.redacted", redact("email"))
read_blocked = _reader("customer.blocked", BLOCK)


@operation("wire.put", version="1", effect=EffectClass.IRREVERSIBLE, approvals=2)
async def put_wire(arguments: About, commit: Commit) -> dict[str, Any]:
    """What two people have to approve."""
    return {"approved_by": commit.approved_by}


@operation("frail.put", version="1", effect=EffectClass.STAGEABLE, seconds=0.5, usd="0.01")
async def put_frail(arguments: About, commit: Commit) -> dict[str, Any]:
    """What can never be staged, but committed."""
    return {"topic": arguments.topic}


@stages(put_frail)
async def stage_frail(arguments: About, stage: Stage) -> None:
    raise ConnectionResetError("nothing can be staged here")


@discards(put_frail)
async def discard_frail(stage: Stage) -> None:
    DISCARDED.append(stage)


@lists_stages(put_frail)
async def frail_stages(before: datetime) -> list[Stage]:
    return []


DISCARDED: list[Stage] = []
"""What `frail.put` and `slow.put` were told to discard."""


@operation("slow.put", version="1", effect=EffectClass.STAGEABLE, seconds=0.5)
async def put_slow(arguments: About, commit: Commit) -> dict[str, Any]:
    """What takes for ever to stage, and no time to commit."""
    return {"topic": arguments.topic}


@stages(put_slow)
async def stage_slow(arguments: About, stage: Stage) -> None:
    await asyncio.Event().wait()


@discards(put_slow)
async def discard_slow(stage: Stage) -> None:
    DISCARDED.append(stage)


@lists_stages(put_slow)
async def slow_stages(before: datetime) -> list[Stage]:
    return []
