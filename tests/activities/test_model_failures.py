"""Every fault of a provider, met with the real SDKs: its posture, its dollars, and its silence.

Silence: no error text holds a key, a header, or any of the prompt.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from forerun.activities.call_result import Bill
from forerun.activities.failures import Kind, rate_limited_seconds
from forerun.speculation.billing import FREE, Basis
from tests.activities.vendors import (
    KEY,
    PROMPT,
    Vendors,
    bill_of,
    failure_of,
    request,
    true_usd,
)

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])
ANSWER = "Twelve words or so are enough to be broken off in the middle of it."


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
