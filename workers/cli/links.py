"""Where the Temporal UI shows a run, as far as that can be known."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import quote

from forerun.workers.connection import ADDRESS, Server
from forerun.workers.settings import Settings

LOCAL_UI = "http://localhost:8233"
LOCAL_UI_PORT = 8233
ANSWER_SECONDS = 0.3


async def run_url(settings: Settings, server: Server, id: str) -> str | None:
    """The page of a run: under `FORERUN_UI_URL`, or under the UI of `forerun up` if it is there.

    Nothing leads from the address of a server to that of its UI, so elsewhere it must be told.
    """
    ui = settings.ui_url
    if ui is None and server.address == ADDRESS and await _listens(LOCAL_UI_PORT):
        ui = LOCAL_UI
    return page(ui, id, namespace=server.namespace) if ui else None


def page(ui: str, id: str, *, namespace: str = "default") -> str:
    """The page of a run under the UI at `ui`."""
    return f"{ui}/namespaces/{quote(namespace, safe='')}/workflows/{quote(id, safe='')}"


async def _listens(port: int) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await asyncio.open_connection("localhost", port)
            writer.close()
            return True
    return False
