"""`http.get` reads from listed hosts only, at addresses that are public or listed themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.http_get import (
    HTTP_REFUSED,
    HTTP_STATUS,
    MAX_BODY_BYTES,
    HttpGet,
    is_public,
)
from forerun.activities.registry import Registry


class Server:
    """A server on loopback that gives every request the same answer and keeps what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[str] = []
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Server]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self.answer)
        writer.close()
        await writer.wait_closed()


def answer(
    body: bytes, *, status: str = "200 OK", kind: str = "text/plain", more: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


async def get(url: str, *allowed: str) -> Any:
    tool = Registry.of(HttpGet(allowed)).tool("http.get", "1")
    return await tool.run(tool.parse({"url": url}))


async def refused(url: str, *allowed: str) -> str:
    with pytest.raises(ApplicationError) as raised:
        await get(url, *allowed)
    assert raised.value.type == HTTP_REFUSED
    assert raised.value.non_retryable
    return raised.value.message


async def test_reads_text_and_json() -> None:
    """JSON comes back parsed, everything else as text, with status and content type."""
    async with Server(answer("grüße".encode(), kind="text/plain; charset=utf-8")).running() as it:
        read = await get(f"http://127.0.0.1:{it.port}/a?b=c", f"127.0.0.1:{it.port}")
    assert read == {"status": 200, "content_type": "text/plain; charset=utf-8", "body": "grüße"}
    assert it.requests[0].startswith("GET /a?b=c HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{it.port}\r\n" in it.requests[0]
    async with Server(answer(b'{"n": [1]}', kind="application/json")).running() as it:
        read = await get(f"http://127.0.0.1:{it.port}/", f"127.0.0.1:{it.port}")
    assert read["body"] == {"n": [1]}


async def test_hosts_must_be_listed() -> None:
    """Without an entry for the very host and port nothing is even resolved."""
    assert "nowhere.invalid:443 is not on the list" in await refused("https://nowhere.invalid/x")
    assert ":81 is not on the list" in await refused("http://example.org:81/", "example.org")
    assert "is not on the list" in await refused("http://example.org.evil.invalid/", "example.org")


async def test_private_addresses_must_be_listed_themselves() -> None:
    """A listed name that leads to loopback is refused, unless the address is listed too."""
    async with Server(answer(b"in")).running() as it:
        name, address = f"localhost:{it.port}", f"127.0.0.1:{it.port}"
        message = await refused(f"http://{name}/", name)
        assert "private address" in message
        assert it.requests == []
        read = await get(f"http://{name}/", name, address, f"[::1]:{it.port}")
        assert read["body"] == "in"
        assert f"Host: {name}\r\n" in it.requests[0]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_private_addresses(address: str) -> None:
    """No spelling of an address that is not on the public internet counts as public."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    """Ordinary addresses do count."""
    assert is_public(address)


async def test_redirects_are_not_followed() -> None:
    """A redirect fails the call for good and says what to do instead."""
    moved = answer(b"", status="302 Found", more="Location: http://example.org/\r\n")
    async with Server(moved).running() as it:
        with pytest.raises(ApplicationError, match="answered 302; redirects are not") as raised:
            await get(f"http://127.0.0.1:{it.port}/", f"127.0.0.1:{it.port}")
    assert (raised.value.type, raised.value.non_retryable) == (HTTP_STATUS, True)


@pytest.mark.parametrize(
    ("status", "final"),
    [("404 Not Found", True), ("429 Too Many Requests", False), ("503 Unavailable", False)],
)
async def test_failures(status: str, final: bool) -> None:
    """A status that may pass is retried, any other is not."""
    async with Server(answer(b"", status=status)).running() as it:
        with pytest.raises(ApplicationError, match=f"answered {status[:3]}") as raised:
            await get(f"http://127.0.0.1:{it.port}/", f"127.0.0.1:{it.port}")
    assert raised.value.non_retryable is final


async def test_size_limit() -> None:
    """More than 256 KB are refused, exactly as many are not."""
    async with Server(answer(b"x" * MAX_BODY_BYTES)).running() as it:
        read = await get(f"http://127.0.0.1:{it.port}/", f"127.0.0.1:{it.port}")
        assert len(read["body"]) == MAX_BODY_BYTES
    async with Server(answer(b"x" * (MAX_BODY_BYTES + 1))).running() as it:
        message = await refused(f"http://127.0.0.1:{it.port}/", f"127.0.0.1:{it.port}")
    assert "sent more than" in message


async def test_false_json() -> None:
    """A body that is not the JSON it claims to be is refused."""
    async with Server(answer(b"<html>", kind="application/json")).running() as it:
        message = await refused(f"http://127.0.0.1:{it.port}/", f"127.0.0.1:{it.port}")
    assert "not the JSON" in message


@pytest.mark.parametrize(
    "url", ["", "example.org", "ftp://example.org/", "http://", "http://[::1", "//example.org/"]
)
async def test_bad_urls(url: str) -> None:
    """Only absolute http and https URLs are URLs here."""
    assert "URL" in await refused(url, "example.org")


async def test_credentials_are_refused_and_not_repeated() -> None:
    """A URL with a password is refused, and the message does not hold it."""
    message = await refused("http://me:hunter2@example.org/", "example.org")
    assert "password" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("entry", ["", " ", "http://example.org", "example.org/x", "a@b", "h:x"])
def test_bad_entries(entry: str) -> None:
    """An allow-list entry that is no host is an error when the worker starts."""
    with pytest.raises(ValueError, match="must be `host` or `host:port`"):
        HttpGet([entry])


def test_entries() -> None:
    """A host without a port stands for both default ports; case and accents are normalised."""
    HttpGet(["example.org", "EXAMPLE.org:8080", "[::1]:80", "bücher.example"])
