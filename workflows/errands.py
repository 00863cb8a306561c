"""Tasks beside the engine, whose errors must not be lost.

Nobody awaits such a task. An error that it does not expect (a result that does not decode, a mistake
of ours) would end it in silence, and the run would wait for ever for what it was to bring. So the
error fails the workflow task: it is in the history and in the log, the server tries again, and the
run goes on as soon as a worker is there that can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from temporalio import workflow


def errand(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run `coroutine` in a task of its own that nobody has to await."""
    task = asyncio.create_task(coroutine)  # noqa: TID251 - the one place
    task.add_done_callback(_reveal)
    return task


def _reveal(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        # An error in a task or a callback is only logged; one in a condition fails the activation.
        failing = workflow.wait_condition(lambda: bool(task.result()))
        asyncio.create_task(failing)  # noqa: TID251, RUF006 - the workflow holds its own tasks
