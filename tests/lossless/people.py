"""The people around a run: who approves, who rejects, who turns the dials."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from tests.lossless.case import Case, Manner, PolicyChange

LOOK_SECONDS = 0.2
OTHER_DIGEST = "0" * 64


async def attend(handle: WorkflowHandle[Any, Any], case: Case, *, dials: bool) -> None:
    """Do what the case says until cancelled; `dials`: turn the dials as well."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_unless_over(_answer(handle, case.manners)))
        for change in case.changes if dials else ():
            group.create_task(_unless_over(_turn(handle, change)))


async def _unless_over(action: Coroutine[Any, Any, None]) -> None:
    """The run may be over before people get round to something."""
    try:
        await action
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def _answer(handle: WorkflowHandle[Any, Any], manners: dict[str, Manner]) -> None:
    for intent, manner in manners.items():
        if manner.early:
            await _say(handle, intent, manner, "")
    waiting = {intent for intent, m in manners.items() if not m.early and m is not Manner.SILENT}
    while waiting:
        await asyncio.sleep(LOOK_SECONDS)
        for intent in (await handle.query("pending"))["intents"]:
            name = intent["intent"]
            if name in waiting:
                waiting.remove(name)
                await _say(handle, name, manners[name], intent["digest"])


async def _say(handle: WorkflowHandle[Any, Any], intent: str, manner: Manner, digest: str) -> None:
    said = {"node": intent, "by": "ann"}
    match manner:
        case Manner.EXACT:
            await handle.signal("approve", {**said, "digest": digest})
            await handle.signal("approve", {**said, "by": "bob"})
        case Manner.CORRECTED:
            await handle.signal("approve", {**said, "by": "eve", "digest": OTHER_DIGEST})
            await handle.signal("approve", said)
        case Manner.REFUSED | Manner.REFUSED_EARLY:
            await handle.signal("reject", said)
        case _:
            await handle.signal("approve", said)


async def _turn(handle: WorkflowHandle[Any, Any], change: PolicyChange) -> None:
    await asyncio.sleep(change.after_seconds)
    dials: Any = handle
    with suppress(WorkflowUpdateFailedError):  # the run ended while the update was under way
        await dials.execute_update("set_policy", change.update)
