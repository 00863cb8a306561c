"""Answers that no stand-in gives: every error status, and servers that are not even rude."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from forerun.activities.failures import POSTURES, Kind
from forerun.speculation.billing import FREE, Basis
from tests.activities.vendors import (
    KEY,
    PROMPT,
    Vendors,
    bill_of,
    failure_of,
    request,
)

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])


@asynccontextmanager
async def always(answer: bytes) -> AsyncGenerator[str]:
    """A server that gives every request one answer; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        # Closing with unread data would reset the connection and lose the answer.
        await reader.readexactly(int(_LENGTH.findall(head)[0]))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def response(status: int, error: str, headers: str = "") -> bytes:
    """An error response that quotes the key and the prompt, as some do."""
    said = f"You said {PROMPT}, with Bearer {KEY}."
    body = f'{{"error": {{"message": "{said}", {error}}}}}'.encode()
    head = f"HTTP/1.1 {status} No\r\ncontent-length: {len(body)}\r\n{headers}connection: close\r\n"
    return f"{head}content-type: application/json\r\n\r\n".encode() + body


@BOTH
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.BAD_REQUEST),
        (401, Kind.UNAUTHENTICATED),
        (402, Kind.OUT_OF_FUNDS),
        (403, Kind.FORBIDDEN),
        (404, Kind.NOT_FOUND),
        (408, Kind.TIMED_OUT),
        (409, Kind.PROVIDER_FAILED),
        (413, Kind.TOO_LARGE),
        (418, Kind.BAD_REQUEST),
        (422, Kind.BAD_REQUEST),
        (429, Kind.RATE_LIMITED),
        (500, Kind.PROVIDER_FAILED),
        (503, Kind.PROVIDER_FAILED),
        (504, Kind.TIMED_OUT),
        (529, Kind.PROVIDER_FAILED),
    ],
)
async def test_a_status_decides_the_posture(
    vendors: Vendors, provider: str, status: int, kind: Kind
) -> None:
    """One table for both vendors; the response quotes key and prompt, the failure does not."""
    async with (
        always(response(status, '"type": "some_error"')) as url,
        Vendors.of(vendors.standin, base_url=url) as refused,
    ):
        failure = await failure_of(refused, request(provider))

    assert failure.type == kind
    assert failure.non_retryable is not POSTURES[kind].retryable
    assert f"HTTP {status}" in failure.message
    assert "some_error" in failure.message


@BOTH
@pytest.mark.parametrize(
    "error",
    [
        '"type": "insufficient_quota", "code": "insufficient_quota"',
        '"type": "rate_limit_error", "code": "insufficient_quota", '
        '"details": {"error_code": "enforced_spend_limit_reached"}',
    ],
)
async def test_no_waiting_helps_against_empty_pockets(
    vendors: Vendors, provider: str, error: str
) -> None:
    """A spent quota comes as 429, even with a friendly header, and is not retried."""
    async with (
        always(response(429, error, "retry-after: 7\r\nx-should-retry: true\r\n")) as url,
        Vendors.of(vendors.standin, base_url=url) as refused,
    ):
        failure = await failure_of(refused, request(provider))

    assert failure.type == Kind.OUT_OF_FUNDS
    assert failure.non_retryable
    assert failure.next_retry_delay is None


@BOTH
@pytest.mark.parametrize(("says", "retryable"), [("true", True), ("false", False)])
async def test_x_should_retry_has_the_last_word(
    vendors: Vendors, provider: str, says: str, retryable: bool
) -> None:
    """The provider knows better than its status."""
    headers = f"x-should-retry: {says}\r\nretry-after-ms: 1500\r\n"
    async with (
        always(response(409, '"type": "conflict_error"', headers)) as url,
        Vendors.of(vendors.standin, base_url=url) as refused,
    ):
        failure = await failure_of(refused, request(provider))

    assert failure.non_retryable is not retryable
    assert failure.next_retry_delay == (timedelta(seconds=1.5) if retryable else None)


@BOTH
async def test_a_provider_that_is_not_there(vendors: Vendors, provider: str) -> None:
    """Free, and worth another attempt."""
    async with always(b"") as url:
        gone = url
    async with Vendors.of(vendors.standin, base_url=gone) as unreachable:
        failure = await failure_of(unreachable, request(provider))

    assert failure.type == Kind.UNREACHABLE
    assert not failure.non_retryable
    assert bill_of(failure).cost == FREE


@BOTH
async def test_a_connection_lost_before_the_answer(vendors: Vendors, provider: str) -> None:
    """Nobody knows whether it was billed: nothing, the input, or all of it."""
    async with always(b"") as url, Vendors.of(vendors.standin, base_url=url) as lost:
        failure = await failure_of(lost, request(provider))

    assert failure.type == Kind.INTERRUPTED
    cost = bill_of(failure).cost
    assert cost.basis is Basis.ESTIMATED
    assert cost.low_usd == 0
    assert cost.best_usd is not None
    assert cost.best_usd > 0


@BOTH
async def test_an_answer_that_is_no_answer(vendors: Vendors, provider: str) -> None:
    """What the SDK chokes on is named by its class alone."""
    garbage = f"event: message_start\ndata: {{{PROMPT} {KEY}\n\n".encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    async with always(head + garbage) as url, Vendors.of(vendors.standin, base_url=url) as odd:
        failure = await failure_of(odd, request(provider))

    assert failure.type == Kind.UNEXPECTED
    assert "JSONDecodeError" in failure.message
