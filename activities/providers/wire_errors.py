"""What HTTP says about a failure, whoever the vendor is: status, error codes, headers, transport.

The surprise: the status is not the last word. An error inside a stream arrives under status 200,
and a spent budget arrives as 429, which would otherwise be waited for in vain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType

import httpx2

from forerun.activities.failures import Kind, ProviderError

LONGEST_WAIT_SECONDS = 3600.0
"""A provider that asks for more is not worth a run's patience. Ours."""

STATUSES: Mapping[int, Kind] = MappingProxyType(
    {
        401: Kind.UNAUTHENTICATED,
        402: Kind.OUT_OF_FUNDS,
        403: Kind.FORBIDDEN,
        404: Kind.NOT_FOUND,
        408: Kind.TIMED_OUT,
        409: Kind.PROVIDER_FAILED,
        413: Kind.TOO_LARGE,
        429: Kind.RATE_LIMITED,
        499: Kind.INTERRUPTED,
        504: Kind.TIMED_OUT,
    }
)
"""Other statuses below 500 are bad requests, the rest failures of the provider."""

OUT_OF_FUNDS = frozenset(
    {
        "billing_error",
        "billing_hard_limit_reached",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "insufficient_quota",
        "linked_organization_billing_unavailable",
        "linked_organization_spend_limit_reached",
    }
)
"""Codes that no waiting helps with, whatever their status."""

STREAM_CODES: Mapping[str, Kind] = MappingProxyType(
    {
        "api_error": Kind.PROVIDER_FAILED,
        "authentication_error": Kind.UNAUTHENTICATED,
        "invalid_request_error": Kind.BAD_REQUEST,
        "not_found_error": Kind.NOT_FOUND,
        "overloaded_error": Kind.PROVIDER_FAILED,
        "permission_error": Kind.FORBIDDEN,
        "rate_limit_error": Kind.RATE_LIMITED,
        "rate_limit_exceeded": Kind.RATE_LIMITED,
        "server_error": Kind.PROVIDER_FAILED,
        "timeout_error": Kind.TIMED_OUT,
    }
)
"""Codes of errors that come inside a stream. Other ones only say that the answer broke off."""


@contextmanager
def in_neutral_words(classified: Callable[[Exception], ProviderError]) -> Generator[None]:
    """Raise every exception of the body as a ProviderError, and without the vendor's text."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - nothing is swallowed: it is raised in other words
        raise classified(error) from None


def refusal(status: int, codes: Iterable[str | None], headers: Mapping[str, str]) -> ProviderError:
    """An error that the provider sent, as a response or (status 200) inside a stream."""
    named = [code for code in codes if code]
    kind = _kind(status, named)
    return ProviderError(
        kind,
        status=status if status >= 400 else None,
        codes=named,
        retry_after_seconds=retry_after_seconds(headers, datetime.now(UTC)),
        should_retry=None if kind is Kind.OUT_OF_FUNDS else _should_retry(headers),
    )


def transport_failure(error: BaseException | None) -> ProviderError:
    """An exception of the HTTP layer, raw or found as the cause of an SDK's own."""
    match error:
        case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.PoolTimeout():
            return ProviderError(Kind.UNREACHABLE)
        case httpx2.TimeoutException():
            return ProviderError(Kind.TIMED_OUT)
        case httpx2.UnsupportedProtocol() | httpx2.InvalidURL() | httpx2.LocalProtocolError():
            # The last one is a header that cannot be sent, and its text holds the key.
            return ProviderError(Kind.BAD_REQUEST, "the base URL or the API key is malformed")
        case httpx2.TransportError() | OSError():
            return ProviderError(Kind.INTERRUPTED)
        case _:
            return unexpected(error)


def unexpected(error: BaseException | None) -> ProviderError:
    """Anything else: only the name of its class is safe to repeat."""
    return ProviderError(Kind.UNEXPECTED, type(error).__name__)


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the provider asks to wait: milliseconds, seconds or a date; None if it does not."""
    in_ms = _number(headers.get("retry-after-ms"))
    if in_ms is not None:
        return _bounded(in_ms / 1000)
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is not None:
        return _bounded(seconds)
    try:
        date = parsedate_to_datetime(asked or "")
    except ValueError:
        return None
    # A date that names no zone is in UTC.
    until = date if date.tzinfo else date.replace(tzinfo=UTC)
    return _bounded((until - now).total_seconds())


def _kind(status: int, codes: list[str]) -> Kind:
    if not OUT_OF_FUNDS.isdisjoint(codes):
        return Kind.OUT_OF_FUNDS
    if status >= 400:
        usual = Kind.BAD_REQUEST if status < 500 else Kind.PROVIDER_FAILED
        return STATUSES.get(status, usual)
    return next((STREAM_CODES[code] for code in codes if code in STREAM_CODES), Kind.INTERRUPTED)


def _should_retry(headers: Mapping[str, str]) -> bool | None:
    return {"true": True, "false": False}.get(headers.get("x-should-retry", ""))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)
