"""`http.get` returns what was read, as data, within its limits (what it reaches: http_hosts)."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.http_get import MAX_BODY_BYTES, HttpGet
from forerun.activities.http_hosts import HTTP_REFUSED
from forerun.activities.registry import Registry
from tests.activities.http_server import Server, answer


async def get(reply: bytes) -> Any:
    async with Server(reply).running() as it:
        tool = Registry.of(HttpGet([it.place])).tool("http.get", "1")
        return await tool.run(tool.parse({"url": f"http://{it.place}/"}))


async def refused(reply: bytes) -> str:
    with pytest.raises(ApplicationError) as raised:
        await get(reply)
    assert (raised.value.type, raised.value.non_retryable) == (HTTP_REFUSED, True)
    return raised.value.message


async def test_reads_text_and_json() -> None:
    """JSON comes back parsed, everything else as text, with status and content type."""
    read = await get(answer("grüße".encode(), kind="text/plain; charset=utf-8"))
    assert read == {"status": 200, "content_type": "text/plain; charset=utf-8", "body": "grüße"}
    read = await get(answer(b'{"n": [1]}', kind="application/json"))
    assert read["body"] == {"n": [1]}


async def test_size_limit() -> None:
    """More than 256 KB are refused, exactly as many are not."""
    assert len((await get(answer(b"x" * MAX_BODY_BYTES)))["body"]) == MAX_BODY_BYTES
    assert "sent more than" in await refused(answer(b"x" * (MAX_BODY_BYTES + 1)))


@pytest.mark.parametrize("body", [b"<html>", b'{"n": NaN}', b"[" * 100_000, b""])
async def test_false_json(body: bytes) -> None:
    """A body that is not the JSON it claims to be is refused, however it is not."""
    assert "not the JSON" in await refused(answer(body, kind="application/json"))


async def test_compressed() -> None:
    """A small body may hold a large one: what nobody asked for is not unpacked."""
    bomb = gzip.compress(b"x" * 10_000_000)
    assert "compressed" in await refused(answer(bomb, more="Content-Encoding: gzip\r\n"))
