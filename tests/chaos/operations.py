"""Effects with every kind of gate, slow enough for a process to be killed amid them.

Each pauses before it writes and after: what is killed in the first pause has done nothing, what is
killed in the second has done all of it and told nobody.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from forerun.activities.effects.drafts import Draft, Drafts
from forerun.activities.effects.outbox import Outbox, OutboxPut
from forerun.activities.registration import Commit, operation
from forerun.activities.stageable import Stage, discards, lists_stages, stages
from forerun.speculation.effect_class import Approval, EffectClass

PAUSE_SECONDS = 0.3


def _put(
    name: str, *, approval: Approval = Approval.REQUIRED, approvals: int = 1
) -> Callable[[OutboxPut, Commit], Awaitable[dict[str, Any]]]:
    @operation(
        name,
        version="1",
        effect=EffectClass.IRREVERSIBLE,
        approval=approval,
        approvals=approvals,
        seconds=2 * PAUSE_SECONDS,
        usd="0.0003",
    )
    async def put(arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        """A row in the outbox."""
        await asyncio.sleep(PAUSE_SECONDS)
        receipt = await Outbox(os.environ["FORERUN_OUTBOX_URL"]).put(arguments, commit)
        await asyncio.sleep(PAUSE_SECONDS)
        return receipt

    return put


put_slowly = _put("chaos.put")
put_unasked = _put("chaos.auto", approval=Approval.AUTO)
put_exactly = _put("chaos.exact", approval=Approval.EXACT)
put_by_two = _put("chaos.pair", approvals=2)


@operation("chaos.note", version="1", effect=EffectClass.STAGEABLE, seconds=2, usd="0.0002")
async def note(arguments: Draft, commit: Commit) -> dict[str, Any]:
    """A draft."""
    await asyncio.sleep(PAUSE_SECONDS)
    receipt = await _drafts().put(arguments, commit)
    await asyncio.sleep(PAUSE_SECONDS)
    return receipt


@stages(note)
async def stage_note(arguments: Draft, stage: Stage) -> None:
    await asyncio.sleep(PAUSE_SECONDS)
    await _drafts().stage(arguments, stage)
    await asyncio.sleep(PAUSE_SECONDS)


@discards(note)
async def discard_note(stage: Stage) -> None:
    await _drafts().discard(stage)
    await asyncio.sleep(PAUSE_SECONDS)


@lists_stages(note)
async def staged_notes(before: datetime) -> list[Stage]:
    return []  # they are among those of `drafts.put`


def _drafts() -> Drafts:
    return Drafts(os.environ["FORERUN_DRAFTS_URL"])
