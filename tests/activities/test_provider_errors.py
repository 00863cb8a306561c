"""Every exception that the SDKs export has a place in our table; so has what comes from below."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import ModuleType
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from forerun.activities.failures import POSTURES, Kind, ProviderError
from forerun.activities.providers import anthropic as anthropic_adapter
from forerun.activities.providers import openai as openai_adapter
from forerun.activities.providers.wire_errors import (
    LONGEST_WAIT_SECONDS,
    STATUSES,
    refusal,
    retry_after_seconds,
)

REQUEST = httpx2.Request("POST", "http://127.0.0.1/")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

BAD_REQUEST = Kind.BAD_REQUEST
"""400 and the statuses below 500 that no table names."""

OPENAI = {
    "APIConnectionError": Kind.INTERRUPTED,
    "APIError": Kind.INTERRUPTED,
    "APIResponseValidationError": Kind.UNEXPECTED,
    "APIStatusError": BAD_REQUEST,
    "APITimeoutError": Kind.TIMED_OUT,
    "AuthenticationError": Kind.UNAUTHENTICATED,
    "BadRequestError": BAD_REQUEST,
    "ConflictError": Kind.PROVIDER_FAILED,
    "ContentFilterFinishReasonError": Kind.UNEXPECTED,
    "InternalServerError": Kind.PROVIDER_FAILED,
    "InvalidWebhookSignatureError": Kind.UNEXPECTED,
    "LengthFinishReasonError": Kind.UNEXPECTED,
    "NotFoundError": Kind.NOT_FOUND,
    "OAuthError": Kind.UNAUTHENTICATED,
    "OpenAIError": Kind.UNEXPECTED,
    "PermissionDeniedError": Kind.FORBIDDEN,
    "RateLimitError": Kind.RATE_LIMITED,
    "UnprocessableEntityError": BAD_REQUEST,
    "WebSocketConnectionClosedError": Kind.UNEXPECTED,
    "WebSocketQueueFullError": Kind.UNEXPECTED,
}

ANTHROPIC = {
    "APIConnectionError": Kind.INTERRUPTED,
    "APIError": Kind.UNEXPECTED,
    "APIResponseValidationError": Kind.UNEXPECTED,
    "APIStatusError": BAD_REQUEST,
    "APITimeoutError": Kind.TIMED_OUT,
    "APIWebhookValidationError": Kind.UNEXPECTED,
    "AnthropicError": Kind.UNEXPECTED,
    "AuthenticationError": Kind.UNAUTHENTICATED,
    "BadRequestError": BAD_REQUEST,
    "CMEKContextUnavailableError": Kind.PROVIDER_FAILED,
    "CMEKKeyDisabledError": BAD_REQUEST,
    "CMEKKeyNetworkBlockedError": BAD_REQUEST,
    "CMEKKeyUnreachableError": Kind.PROVIDER_FAILED,
    "ClaudeCodeKeyCreatorNotMemberError": BAD_REQUEST,
    "ClaudeCodeVersionTooOldError": BAD_REQUEST,
    "ClientClosedRequestError": Kind.INTERRUPTED,
    "ConflictError": Kind.PROVIDER_FAILED,
    "ContentTooLargeError": Kind.TOO_LARGE,
    "ContractSpendLimitReachedError": Kind.OUT_OF_FUNDS,
    "CredentialsError": Kind.UNAUTHENTICATED,
    "DeadlineExceededError": Kind.TIMED_OUT,
    "EnforcedSpendLimitReachedError": Kind.OUT_OF_FUNDS,
    "GatewayTimeoutError": Kind.TIMED_OUT,
    "HTTPNotImplementedError": Kind.PROVIDER_FAILED,
    "IdentityTokenFileError": Kind.UNAUTHENTICATED,
    "InternalServerError": Kind.PROVIDER_FAILED,
    "LinkedOrganizationBillingUnavailableError": Kind.OUT_OF_FUNDS,
    "LinkedOrganizationSpendLimitReachedError": Kind.OUT_OF_FUNDS,
    "NotFoundError": Kind.NOT_FOUND,
    "OrganizationOnHoldError": BAD_REQUEST,
    "OrganizationTypeNotSupportedError": BAD_REQUEST,
    "OverloadedError": Kind.PROVIDER_FAILED,
    "ParentOrganizationRequiredError": BAD_REQUEST,
    "PaymentRequiredError": Kind.OUT_OF_FUNDS,
    "PermissionDeniedError": Kind.FORBIDDEN,
    "PreconditionFailedError": BAD_REQUEST,
    "RampLimitExceededError": Kind.RATE_LIMITED,
    "RateLimitError": Kind.RATE_LIMITED,
    "RequestBodyEncodingInvalidError": BAD_REQUEST,
    "RequestBodyEncodingUnsupportedError": BAD_REQUEST,
    "RequestBodyTooLargeAfterDecodingError": Kind.TOO_LARGE,
    "RequestHeaderFieldsTooLargeError": BAD_REQUEST,
    "RequestTimeoutError": Kind.TIMED_OUT,
    "RequestTooLargeError": Kind.TOO_LARGE,
    "RetryableError": Kind.UNEXPECTED,
    "SandboxEgressRestrictedError": Kind.FORBIDDEN,
    "ServiceUnavailableError": Kind.PROVIDER_FAILED,
    "UnprocessableEntityError": BAD_REQUEST,
}

SDKS = pytest.mark.parametrize(
    ("sdk", "adapter", "expected"),
    [(openai, openai_adapter, OPENAI), (anthropic, anthropic_adapter, ANTHROPIC)],
    ids=["openai", "anthropic"],
)


def exported(sdk: ModuleType) -> dict[str, type[Exception]]:
    """The exception classes of an SDK's public face."""
    named = {name: getattr(sdk, name) for name in sdk.__all__}
    return {
        name: value
        for name, value in named.items()
        if isinstance(value, type) and issubclass(value, Exception)
    }


def instance(sdk: Any, cls: Any) -> Exception:
    """An exception as the SDK would make it; its error code is its name, as Anthropic's are."""
    if cls is openai.OAuthError:
        return cls(response=httpx2.Response(401, request=REQUEST), body=None)
    if issubclass(cls, sdk.APIStatusError):
        status = getattr(cls, "status_code", 500 if cls is sdk.InternalServerError else 400)
        code = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__)
        code = code.strip("_").removesuffix("_error")
        body = {"error": {"type": "some_error", "details": {"error_code": code}}}
        return cls("said", response=httpx2.Response(status, request=REQUEST), body=body)
    if issubclass(cls, sdk.APIResponseValidationError):
        return cls(httpx2.Response(200, request=REQUEST), None)
    if issubclass(cls, sdk.APIConnectionError):
        return cls(request=REQUEST)
    if issubclass(cls, sdk.APIError):
        return cls("said", REQUEST, body=None)
    blank: Exception = cls.__new__(cls)
    blank.args = ("said",)
    return blank


@SDKS
def test_every_exported_exception_is_mapped(
    sdk: ModuleType, adapter: Any, expected: dict[str, Kind]
) -> None:
    """A new release that brings a new one fails here until somebody has decided about it."""
    kinds = {
        name: adapter.classified(instance(sdk, cls)).kind for name, cls in exported(sdk).items()
    }

    assert kinds == expected


def test_every_kind_has_a_posture() -> None:
    """The table is whole."""
    assert set(POSTURES) == set(Kind)


@pytest.mark.parametrize("adapter", [openai_adapter, anthropic_adapter])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx2.ConnectError("x"), Kind.UNREACHABLE),
        (httpx2.ConnectTimeout("x"), Kind.UNREACHABLE),
        (httpx2.PoolTimeout("x"), Kind.UNREACHABLE),
        (httpx2.ReadTimeout("x"), Kind.TIMED_OUT),
        (httpx2.WriteTimeout("x"), Kind.TIMED_OUT),
        (httpx2.ReadError("x"), Kind.INTERRUPTED),
        (httpx2.RemoteProtocolError("x"), Kind.INTERRUPTED),
        (httpx2.LocalProtocolError("x"), BAD_REQUEST),
        (httpx2.UnsupportedProtocol("x"), BAD_REQUEST),
        (httpx2.InvalidURL("x"), BAD_REQUEST),
        (OSError("x"), Kind.INTERRUPTED),
        (KeyError("x"), Kind.UNEXPECTED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_raw_transport_errors_are_mapped(adapter: Any, error: Exception, kind: Kind) -> None:
    """They come raw from anthropic in mid-stream, and as the cause of both SDKs' own errors."""
    wrapped = openai.APIConnectionError(request=REQUEST)
    wrapped.__cause__ = error

    assert adapter.classified(error).kind is kind
    assert openai_adapter.classified(wrapped).kind is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("overloaded_error", Kind.PROVIDER_FAILED),
        ("rate_limit_error", Kind.RATE_LIMITED),
        ("insufficient_quota", Kind.OUT_OF_FUNDS),
        ("something_new", Kind.INTERRUPTED),
        (None, Kind.INTERRUPTED),
    ],
)
def test_an_error_inside_a_stream_is_known_by_its_code(code: str | None, kind: Kind) -> None:
    """Its status is 200, which says nothing, and is not repeated."""
    error = refusal(200, (code,), {})

    assert error.kind is kind
    assert error.status is None


def test_the_named_statuses_are_errors() -> None:
    """No success can be taken for a failure."""
    assert min(STATUSES) >= 400


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, 0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:05"}, 5),
        ({"retry-after": "86400"}, LONGEST_WAIT_SECONDS),
        ({"retry-after": "-1"}, 0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds win over seconds, dates are honoured, nonsense is bounded or ignored."""
    assert retry_after_seconds(headers, NOW) == seconds


@pytest.mark.parametrize("code", ["sk-1234", "You said so", "A", "x" * 65, "line\nbreak", ""])
def test_only_identifiers_are_repeated(code: str) -> None:
    """What a provider calls a code may be anything, a key or a piece of the prompt included."""
    assert ProviderError(Kind.BAD_REQUEST, codes=(code,)).codes == ()
