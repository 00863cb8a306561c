"""One request on the wire: paced writing that ends the moment the client is gone.

A watcher waits for the disconnect all the time, so it is seen within a millisecond, in the middle
of a pause as well. The surprise: the web server drops what is written to a closed connection
without a word. Tokens are therefore counted only while the transport is open.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from types import TracebackType
from typing import NoReturn, Self

from starlette.types import Receive, Scope, Send

from forerun.workers.standin.journal import Entry, Outcome

_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() then sends RST instead of FIN


class ClientGone(Exception):
    """The client closed the connection; the journal has it already."""


class Exchange:
    """The answer side of one request whose body has been read.

    Waiting and writing raise ClientGone when there is nobody left to answer.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, entry: Entry) -> None:
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._receive = receive
        self._send = send
        self._entry = entry
        self._outcome_when_left: Outcome = "disconnected"
        self._clock = asyncio.get_running_loop().time
        self._arrival = self._clock()

    async def __aenter__(self) -> Self:
        self._gone = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, ClientGone):
            await self._gone
            return True
        self._gone.cancel()
        return False

    async def pause_until(self, offset: float) -> None:
        """Wait until `offset` seconds after the arrival of the request."""
        delay = offset - (self._clock() - self._arrival)
        # Also waits when late: many overdue tokens must not keep the disconnect from being seen.
        await asyncio.wait({self._gone}, timeout=max(delay, 0))
        if self._gone.done():
            raise ClientGone

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status line and the headers."""
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes, *, tokens: int = 0) -> None:
        """Send a part of the body that holds `tokens` tokens."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        if self._transport.is_closing():
            raise ClientGone
        self._entry.delivered_tokens += tokens

    async def finish(self, data: bytes = b"", *, tokens: int = 0, outcome: Outcome) -> None:
        """Send the last part of the body and write down the outcome."""
        if self._transport.is_closing():
            raise ClientGone
        await self._send({"type": "http.response.body", "body": data, "more_body": False})
        self._entry.delivered_tokens += tokens
        self._entry.close(outcome)

    async def reset(self) -> NoReturn:
        """Break the connection off with a TCP reset."""
        self._entry.close("faulted")
        connection = self._transport.get_extra_info("socket")
        if connection.fileno() < 0:
            raise ClientGone  # the client was faster
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._transport.abort()
        raise ClientGone

    async def stall(self) -> NoReturn:
        """Say nothing more until the client leaves."""
        self._outcome_when_left = "faulted"
        await self._gone
        raise ClientGone

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._entry.close(self._outcome_when_left)
