"""A provider with a limit: passes requests on to the stand-in, and answers 429 beyond so many at once.

It speaks just enough HTTP for that: one request per connection, told apart from its answer by its
length; the answer is passed through as it comes, and a client that goes away takes its request with
it, as at a vendor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

RETRY_AFTER_SECONDS = 1
REFUSAL = b'{"error": {"message": "Rate limit reached", "type": "rate_limit_exceeded"}}'
REFUSED = (
    b"HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-type: application/json\r\n"
    b"retry-after: %d\r\ncontent-length: %d\r\n\r\n%s"
) % (RETRY_AFTER_SECONDS, len(REFUSAL), REFUSAL)


class Limiter:
    """A running limiter; get one from `Limiter.start`. `refused` counts its 429s."""

    def __init__(self, target: str, limit: int) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._limit = limit
        self._in_flight = 0
        self.refused = 0
        self.url = ""

    @staticmethod
    @asynccontextmanager
    async def start(target: str, *, limit: int) -> AsyncGenerator[Limiter]:
        """Serve for the length of the block."""
        limiter = Limiter(target, limit)
        server = await asyncio.start_server(limiter._serve, "127.0.0.1", 0)
        limiter.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield limiter
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader)
            if self._in_flight >= self._limit:
                self.refused += 1
                writer.write(REFUSED)
                await writer.drain()
            else:
                self._in_flight += 1
                try:
                    await self._pass_on(request, reader, writer)
                finally:
                    self._in_flight -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # one of the two is gone, and the other is being told
        finally:
            writer.close()

    async def _pass_on(
        self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answer, target = await asyncio.open_connection(self._host, self._port)
        try:
            target.write(request)
            gone = asyncio.create_task(reader.read(1))
            told = asyncio.create_task(_pump(answer, writer))
            await asyncio.wait((gone, told), return_when=asyncio.FIRST_COMPLETED)
            for task in (gone, told):
                task.cancel()
            await asyncio.gather(gone, told, return_exceptions=True)
        finally:
            target.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """One whole request, told to be the last of its connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head[:-4].split(b"\r\n")
    headers = [line for line in lines[1:] if not line.lower().startswith(b"connection:")]
    length = next(
        int(h.split(b":")[1]) for h in headers if h.lower().startswith(b"content-length:")
    )
    body = await reader.readexactly(length)
    return b"\r\n".join([lines[0], *headers, b"connection: close", b"", body])


async def _pump(answer: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await answer.read(65_536):
        writer.write(chunk)
        await writer.drain()
