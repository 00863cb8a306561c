"""A real HTTP server on loopback, told what to answer, that keeps what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `head` is everything before the body."""

    head: str
    body: bytes

    def header(self, name: str) -> str:
        """A header's value; empty if it was not sent."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return ""


class Server:
    """Gives every request the answer that `reply` makes; an empty one just ends the connection."""

    def __init__(self, reply: bytes | Callable[[Request], bytes]) -> None:
        self._reply = reply
        self.requests: list[Request] = []
        self.port = 0

    @property
    def place(self) -> str:
        """Its address and port."""
        return f"127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Server]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request = Request(head, b"")
        request = Request(
            head, await reader.readexactly(int(request.header("content-length") or 0))
        )
        self.requests.append(request)
        writer.write(self._reply if isinstance(self._reply, bytes) else self._reply(request))
        writer.close()
        await writer.wait_closed()


def answer(
    body: bytes, *, status: str = "200 OK", kind: str = "text/plain", more: str = ""
) -> bytes:
    """An answer as it goes over the wire."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body
