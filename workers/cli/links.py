"""Where the Temporal UI shows a run, or all runs that match a query, as far as that can be known."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from rich.console import Console
from rich.text import Text

from forerun.workers.connection import ADDRESS

LOCAL_UI = "http://localhost:8233"
LOCAL_UI_PORT = 8233
ANSWER_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a namespace in the UI at `ui`; None where there is none that we know of."""

    ui: str | None
    namespace: str = "default"

    def run(self, id: str) -> str | None:
        """The page of a run."""
        return self._under(f"workflows/{quote(id, safe='')}")

    def matching(self, query: str) -> str | None:
        """The list of the runs that match a visibility query."""
        return self._under(f"workflows?query={quote(query, safe='')}")

    def _under(self, path: str) -> str | None:
        if self.ui is None:
            return None
        return f"{self.ui}/namespaces/{quote(self.namespace, safe='')}/{path}"


async def pages_of(ui: str | None, address: str, namespace: str) -> Pages:
    """Under `ui` if it was told, else under the UI of `forerun up` if it is there.

    Nothing leads from the address of a server to that of its UI, so elsewhere it must be told.
    """
    if ui is None and address == ADDRESS and await _listens(LOCAL_UI_PORT):
        ui = LOCAL_UI
    return Pages(ui, namespace)


def print_link(console: Console, link: str | None, *, indent: int = 0) -> None:
    """One line that is never broken; none where there is no link."""
    if link:
        console.print(Text(" " * indent + link), soft_wrap=True)


async def _listens(port: int) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await asyncio.open_connection("localhost", port)
            writer.close()
            return True
    return False
