"""Every way a model call can fail, and what becomes of it: one table.

    a vendor's exception  --(adapter)-->  ProviderError(kind, ...)  --(here)-->  ApplicationError

The law: no vendor's own words leave this process. A message says who failed, how, and what to do,
in one line; a vendor's text may quote the prompt or the key, and Temporal keeps it for months. So
the vendor's exception is never chained either: a failure's cause is stored with its message.

The surprise: a failed call has cost money. The bill travels in the details of heartbeats and
failures, as JSON, and `bill_of_failure` finds it on the workflow's side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError

from forerun.activities.call_result import Bill


class Kind(StrEnum):
    """What went wrong. The value is the `type` of the ApplicationError."""

    RATE_LIMITED = "RateLimited"
    PROVIDER_FAILED = "ProviderFailed"
    UNREACHABLE = "ProviderUnreachable"
    TIMED_OUT = "ProviderTimedOut"
    INTERRUPTED = "AnswerInterrupted"
    TRUNCATED = "AnswerTruncated"
    INVALID_REPLY = "InvalidReply"
    UNEXPECTED = "UnexpectedError"
    BAD_REQUEST = "BadRequest"
    UNAUTHENTICATED = "Unauthenticated"
    FORBIDDEN = "Forbidden"
    NOT_FOUND = "NotFound"
    TOO_LARGE = "PromptTooLarge"
    OUT_OF_FUNDS = "OutOfFunds"
    REFUSED = "AnswerRefused"
    OUTPUT_TOO_LARGE = "OutputTooLarge"
    UNUSABLE_SCHEMA = "UnusableSchema"
    NO_KEY = "MissingKey"
    NO_PROVIDER = "UnknownProvider"


@dataclass(frozen=True, slots=True)
class Posture:
    """Whether another attempt may help, and what to say (after `openai:gpt-x`)."""

    retryable: bool
    says: str


POSTURES: Mapping[Kind, Posture] = MappingProxyType(
    {
        Kind.RATE_LIMITED: Posture(True, "is rate limited"),
        Kind.PROVIDER_FAILED: Posture(True, "failed on the provider's side"),
        Kind.UNREACHABLE: Posture(True, "cannot be reached: check the base URL and the network"),
        Kind.TIMED_OUT: Posture(True, "did not answer in time"),
        Kind.INTERRUPTED: Posture(True, "broke off its answer"),
        Kind.TRUNCATED: Posture(True, "ended its answer without a finish reason"),
        Kind.INVALID_REPLY: Posture(True, "gave an invalid reply"),
        Kind.UNEXPECTED: Posture(True, "failed in a way that is not known here"),
        Kind.BAD_REQUEST: Posture(False, "refused the request: check the model and its limits"),
        Kind.UNAUTHENTICATED: Posture(False, "refused the API key: check it"),
        Kind.FORBIDDEN: Posture(False, "is not allowed for this API key"),
        Kind.NOT_FOUND: Posture(False, "is not known there: check the model and the base URL"),
        Kind.TOO_LARGE: Posture(False, "refused the prompt as too large: shorten it"),
        Kind.OUT_OF_FUNDS: Posture(False, "is out of funds: raise the spend limit or the quota"),
        Kind.REFUSED: Posture(False, "declined to answer this prompt"),
        Kind.OUTPUT_TOO_LARGE: Posture(False, "gave an output that is too large"),
        Kind.UNUSABLE_SCHEMA: Posture(False, "cannot be held to this schema"),
        Kind.NO_KEY: Posture(False, "has no API key"),
        Kind.NO_PROVIDER: Posture(False, "is not served by this worker"),
    }
)

NOTHING_BILLED = frozenset(Kind) - {
    Kind.TIMED_OUT,
    Kind.INTERRUPTED,
    Kind.TRUNCATED,
    Kind.UNEXPECTED,
}
"""Kinds that cost nothing where no answer had begun; after the others nobody knows."""

RATE_LIMIT_SECONDS = 30.0
"""How long a rate limit lasts where the provider does not say."""


class ProviderError(Exception):
    """A failed attempt in neutral words; adapters raise nothing else.

    `codes` are the vendor's own identifiers, `note` is our own remark. `retry_after_seconds` and
    `should_retry` are what the provider asks for, None where it does not.
    """

    def __init__(
        self,
        kind: Kind,
        note: str = "",
        *,
        status: int | None = None,
        codes: Sequence[str | None] = (),
        retry_after_seconds: float | None = None,
        should_retry: bool | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.note = note
        self.status = status
        self.codes = tuple(code for code in codes if code and _IDENTIFIER.fullmatch(code))
        self.retry_after_seconds = retry_after_seconds
        self.retryable = POSTURES[kind].retryable if should_retry is None else should_retry


# What a vendor calls a code is only repeated if it looks like one: keys and prose do not.
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_.]{0,63}")


def application_error(error: ProviderError, *, operation: str, bill: Bill) -> ApplicationError:
    """The failure of an attempt as Temporal takes it; raise it `from None`."""
    wait = error.retry_after_seconds
    return ApplicationError(
        _message(error, operation),
        details_of(bill) | {"retry_after_seconds": wait},
        type=error.kind.value,
        non_retryable=not error.retryable,
        next_retry_delay=timedelta(seconds=wait) if wait and error.retryable else None,
    )


def details_of(bill: Bill, **counts: int) -> dict[str, Any]:
    """What heartbeats and failures carry: JSON, so that it is readable without its types."""
    return {"bill": _BILL.dump_python(bill, mode="json"), **counts}


def bill_in(details: Sequence[Any]) -> Bill | None:
    """The bill in the details of a heartbeat or a failure; None where there is none to read."""
    first = cast("Mapping[str, Any]", details[0]) if details else None
    if not isinstance(first, Mapping):
        return None
    try:
        return _BILL.validate_python(first.get("bill"))
    except ValidationError:
        return None


def bill_of_failure(error: BaseException) -> Bill | None:
    """What a call had cost when it failed for good, over all its attempts, as far as is known.

    None for an activity that never started, and for one whose worker died before it could tell.
    """
    return bill_in(_details(_failure(error)))


def rate_limited_seconds(error: BaseException) -> float | None:
    """How long to leave the provider alone after this failure; None if it was no rate limit."""
    failure = _failure(error)
    if not isinstance(failure, ApplicationError) or failure.type != Kind.RATE_LIMITED:
        return None
    asked = next((d.get("retry_after_seconds") for d in failure.details if _is_object(d)), None)
    return RATE_LIMIT_SECONDS if asked is None else float(asked)


def _failure(error: BaseException) -> BaseException | None:
    return error.cause if isinstance(error, ActivityError) else error


def _details(failure: BaseException | None) -> Sequence[Any]:
    if isinstance(failure, ApplicationError):
        return failure.details
    # A worker that died: its last heartbeat is the only account left.
    return failure.last_heartbeat_details if isinstance(failure, TimeoutError) else ()


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _message(error: ProviderError, operation: str) -> str:
    facts = [f"HTTP {error.status}"] if error.status else []
    facts += dict.fromkeys(error.codes)
    if error.retry_after_seconds is not None:
        facts.append(f"retry after {error.retry_after_seconds:g} s")
    says = f"{operation} {POSTURES[error.kind].says}"
    return (
        says + (f": {error.note}" if error.note else "") + (f" ({', '.join(facts)})" * bool(facts))
    )


_BILL = TypeAdapter(Bill)
