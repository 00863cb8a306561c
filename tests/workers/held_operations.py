"""Operations that wait for the test, by way of files: the test is another process.

`held.wait` ends when it is allowed to. `held.put` is the outbox's own put, and stops once before
the row is written and once after, where nobody has heard of it yet. `held.note` is a draft whose
stage is written and never acknowledged.
"""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from forerun.activities.effects.drafts import Draft, Drafts
from forerun.activities.effects.outbox import Outbox, OutboxPut
from forerun.activities.registration import Arguments, Commit, operation
from forerun.activities.stageable import Stage, discards, lists_stages, stages
from forerun.speculation.effect_class import EffectClass

LOOK_SECONDS = 0.05


class Wait(Arguments):
    """Return `value` once the file `until` exists."""

    value: JsonValue
    until: str


class HeldPut(OutboxPut):
    """A message, and the folder in which to say how far it has got."""

    stages: str


@operation("held.wait", version="1", effect=EffectClass.READ, seconds=5, timeout_seconds=120)
async def wait(arguments: Wait) -> JsonValue:
    while not await asyncio.to_thread(Path(arguments.until).exists):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)
    return arguments.value


@operation("held.put", version="1", effect=EffectClass.IRREVERSIBLE)
async def put(arguments: HeldPut, commit: Commit) -> dict[str, Any]:
    outbox, stages = Outbox(os.environ["FORERUN_OUTBOX_URL"]), Path(arguments.stages)
    await _stop_the_first_time(stages / "about-to-write")
    receipt = await outbox.put(arguments, commit)
    await _stop_the_first_time(stages / "written")
    return receipt


@operation("held.note", version="1", effect=EffectClass.STAGEABLE, seconds=5, timeout_seconds=120)
async def put_note(arguments: Draft, commit: Commit) -> dict[str, Any]:
    return await _drafts().put(arguments, commit)


@stages(put_note)
async def stage_note(arguments: Draft, stage: Stage) -> None:
    await _drafts().stage(arguments, stage)
    await asyncio.Event().wait()


@discards(put_note)
async def discard_note(stage: Stage) -> None:
    await _drafts().discard(stage)


@lists_stages(put_note)
async def staged_notes(before: datetime) -> list[Stage]:
    return await _drafts().staged(before)


def _drafts() -> Drafts:
    return Drafts(os.environ["FORERUN_DRAFTS_URL"])


async def _stop_the_first_time(stage: Path) -> None:
    if not await asyncio.to_thread(stage.exists):
        await asyncio.to_thread(stage.touch)
        await asyncio.Event().wait()
