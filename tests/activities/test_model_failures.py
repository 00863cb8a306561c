"""Every fault of a provider, met with the real SDKs: its posture, its dollars, and its silence.

Silence: no error text holds a key, a header, or any of the prompt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError

from forerun.activities.call_result import Bill
from forerun.activities.failures import POSTURES, Kind, bill_of_failure, rate_limited_seconds
from forerun.activities.model_call import ModelRequest
from forerun.speculation.billing import FREE, Basis
from tests.activities.vendors import KEY, PROMPT, Run, Vendors, request, true_usd

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])
ANSWER = "Twelve words or so are enough to be broken off in the middle of it."


async def failure_of(vendors: Vendors, request: ModelRequest) -> ApplicationError:
    """Run a call that must fail, check that the failure is fit to be stored, and return it."""
    with pytest.raises(ApplicationError) as caught:
        await Run(calls=vendors.calls)(request)
    stored = Failure()
    await pydantic_data_converter.encode_failure(caught.value, stored)
    for secret in (KEY, "very-secret", PROMPT, "Marple", "Bearer"):
        assert secret not in str(stored)
    assert not stored.HasField("cause")
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith(f"{request.provider}:{request.model} ")
    return caught.value


def bill_of(failure: ApplicationError) -> Bill:
    """The bill that every failure carries."""
    bill = bill_of_failure(failure)
    assert bill is not None
    return bill


@BOTH
@pytest.mark.parametrize(
    ("fault", "kind"), [("429", Kind.RATE_LIMITED), ("500", Kind.PROVIDER_FAILED)]
)
async def test_a_refusal_is_free_and_may_be_retried(
    vendors: Vendors, provider: str, fault: str, kind: Kind
) -> None:
    """No answer began, so nothing is billed."""
    vendors.answer(ANSWER, fault=fault)

    failure = await failure_of(vendors, request(provider))

    assert failure.type == kind
    assert not failure.non_retryable
    assert bill_of(failure) == Bill(cost=FREE)


@BOTH
async def test_a_rate_limit_says_how_long(vendors: Vendors, provider: str) -> None:
    """Retry-After decides about the next attempt, and is there for those who hold speculation."""
    vendors.answer(ANSWER, fault="429")

    failure = await failure_of(vendors, request(provider))

    assert failure.next_retry_delay == timedelta(seconds=1)
    assert rate_limited_seconds(failure) == 1


@BOTH
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", Kind.INTERRUPTED),
        ("truncate", Kind.TRUNCATED),
        ("stall", Kind.TIMED_OUT),
        ("sse_error", Kind.PROVIDER_FAILED),
    ],
)
async def test_a_broken_answer_was_paid_for(
    vendors: Vendors, provider: str, fault: str, kind: Kind
) -> None:
    """It may be retried, and its dollars are between low and high."""
    vendors.answer(ANSWER, fault=fault)

    async with Vendors.of(vendors.standin, silence_seconds=0.3) as impatient:
        failure = await failure_of(impatient, request(provider))

    assert failure.type == kind
    assert not failure.non_retryable
    assert rate_limited_seconds(failure) is None
    cost = bill_of(failure).cost
    assert cost.basis is Basis.ESTIMATED
    assert cost.low_usd is not None
    assert cost.high_usd is not None
    delivered = (await vendors.last_request())["delivered_tokens"]
    assert delivered > 0
    assert 0 < cost.low_usd <= true_usd(PROMPT, "", delivered) <= cost.high_usd


@asynccontextmanager
async def always(answer: bytes) -> AsyncGenerator[str]:
    """A server that gives every request one answer; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
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


@BOTH
@pytest.mark.parametrize("key", [None, "", "  \n"])
async def test_a_missing_key_names_the_variable_to_set(
    vendors: Vendors, provider: str, key: str | None
) -> None:
    """Nothing is sent, and nothing is read from anywhere else."""
    async with Vendors.of(vendors.standin, api_key=key) as keyless:
        failure = await failure_of(keyless, request(provider))

    assert failure.type == Kind.NO_KEY
    assert failure.non_retryable
    assert f"set {provider.upper()}_API_KEY" in failure.message
    assert vendors.standin.requests() == []


@BOTH
async def test_a_key_that_cannot_be_sent_is_not_shown(vendors: Vendors, provider: str) -> None:
    """The HTTP layer quotes the header that it refuses; we don't."""
    async with Vendors.of(vendors.standin, api_key=f"{KEY}\n{KEY}") as broken:
        failure = await failure_of(broken, request(provider))

    assert failure.type == Kind.BAD_REQUEST
    assert failure.non_retryable


@BOTH
async def test_the_environment_redirects_no_key(
    vendors: Vendors, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Address and key are what the adapter was given, whatever the SDK would read; no proxy."""
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{name}_BASE_URL", "http://192.0.2.1/v1")
        monkeypatch.setenv(f"{name}_API_KEY", "sk-another")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    vendors.answer(ANSWER)

    async with Vendors.of(vendors.standin) as explicit:
        result = await explicit.complete(request(provider))

    assert result.output == ANSWER


async def test_an_unknown_provider_is_named_with_the_known_ones(vendors: Vendors) -> None:
    """Not retried: this worker will not learn it."""
    failure = await failure_of(vendors, request("acme"))

    assert failure.type == Kind.NO_PROVIDER
    assert failure.non_retryable
    assert "anthropic, openai" in failure.message


@BOTH
@pytest.mark.parametrize("schema", [{"type": 7}, {"$ref": "http://192.0.2.1/x"}, {"pattern": "("}])
async def test_a_schema_that_cannot_be_applied(
    vendors: Vendors, provider: str, schema: dict[str, Any]
) -> None:
    """It is the author's to mend, and nothing is fetched for it."""
    vendors.answer('"x"')

    failure = await failure_of(vendors, request(provider, schema=schema))

    assert failure.type == Kind.UNUSABLE_SCHEMA
    assert failure.non_retryable
