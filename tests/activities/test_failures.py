"""Failures and the bills they carry, on both sides of the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TimeoutError,
    TimeoutType,
)

from forerun.activities.call_result import Bill
from forerun.activities.failures import (
    POSTURES,
    RATE_LIMIT_SECONDS,
    Kind,
    ProviderError,
    application_error,
    bill_in,
    bill_of_failure,
    details_of,
    rate_limited_seconds,
)
from forerun.speculation.billing import UNPRICED, Basis, Cost
from forerun.speculation.pricing import Rates, Usage

BILL = Bill(
    usage=Usage(input_tokens=12, output_tokens=3),
    cost=Cost(
        low_usd=Decimal("0.000000010"),
        best_usd=Decimal("0.0000540"),
        high_usd=Decimal("0.01"),
        basis=Basis.ESTIMATED,
    ),
    rates=Rates(
        input_usd_per_mtok=Decimal("2.0"),
        output_usd_per_mtok=Decimal(10),
        cache_read_usd_per_mtok=Decimal("0.10"),
        cache_write_usd_per_mtok=Decimal(2),
        version="book/1",
        priced_at="2026-11-21T00:00:00+00:00",
    ),
    attempts=2,
)


def activity_error(cause: BaseException) -> ActivityError:
    """What the workflow gets."""
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="a worker",
        activity_type="model_call",
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("kind", Kind)
def test_a_failure_is_one_line_with_its_posture_and_its_bill(kind: Kind) -> None:
    """Type, retry and bill come from the table; the message names who failed."""
    error = ProviderError(kind, "the note", status=429, codes=("some_code", "some_code"))

    failure = application_error(error, operation="openai:sim-mid", bill=BILL)

    assert failure.type == kind.value
    assert failure.non_retryable is not POSTURES[kind].retryable
    assert failure.message == (
        f"openai:sim-mid {POSTURES[kind].says}: the note (HTTP 429, some_code)"
    )
    assert bill_of_failure(failure) == bill_of_failure(activity_error(failure)) == BILL


def test_a_failure_without_facts_has_no_brackets() -> None:
    """Nothing empty is said."""
    failure = application_error(
        ProviderError(Kind.TRUNCATED), operation="openai:sim-mid", bill=Bill()
    )

    assert failure.message == "openai:sim-mid ended its answer without a finish reason"


def test_the_last_heartbeat_is_the_bill_of_a_worker_that_died() -> None:
    """There is no other account of what it had spent."""
    timeout = TimeoutError(
        "heartbeat",
        type=TimeoutType.HEARTBEAT,
        last_heartbeat_details=[details_of(BILL, delivered_tokens=3)],
    )

    assert bill_of_failure(activity_error(timeout)) == BILL


@pytest.mark.parametrize(
    "cause",
    [
        CancelledError("before it started"),
        ApplicationError("of a user's own tool", {"bill": "none"}),
        ApplicationError("of a user's own tool", "text"),
        ApplicationError("without details"),
        TimeoutError(
            "queued too long", type=TimeoutType.SCHEDULE_TO_START, last_heartbeat_details=[]
        ),
        ValueError("anything"),
    ],
)
def test_other_failures_have_no_bill(cause: Exception) -> None:
    """None, which is not a bill of 0."""
    assert bill_of_failure(activity_error(cause)) is None


@pytest.mark.parametrize(
    "details", [[], [None], [7], [{}], [{"bill": {"usage": "much"}}], ["text"]]
)
def test_details_that_are_not_ours_are_no_bill(details: list[Any]) -> None:
    """An older version, or a user's own activity, does not break the next attempt."""
    assert bill_in(details) is None


amounts = st.decimals(min_value=0, max_value=100, places=12)
counts = st.integers(min_value=0, max_value=10**9)


@given(st.tuples(amounts, amounts, amounts).map(sorted), counts, counts, st.sampled_from(Basis))
def test_bills_survive_the_wire(
    dollars: list[Decimal], entering: int, leaving: int, basis: Basis
) -> None:
    """JSON and back, to the last digit."""
    low, best, high = dollars
    cost = Cost(low_usd=low, best_usd=best, high_usd=high, basis=basis)
    if basis is Basis.UNPRICED:
        cost = UNPRICED
    bill = Bill(usage=Usage(input_tokens=entering, output_tokens=leaving), cost=cost)

    assert bill_in([details_of(bill)]) == bill


@pytest.mark.parametrize(("asked", "seconds"), [(7.5, 7.5), (None, RATE_LIMIT_SECONDS), (0.0, 0.0)])
def test_a_rate_limit_lasts_as_long_as_the_provider_says(
    asked: float | None, seconds: float
) -> None:
    """Or half a minute; and only a rate limit does."""
    limited = ProviderError(Kind.RATE_LIMITED, retry_after_seconds=asked)
    busy = ProviderError(Kind.PROVIDER_FAILED, retry_after_seconds=asked)

    said = [
        rate_limited_seconds(activity_error(application_error(e, operation="x:y", bill=BILL)))
        for e in (limited, busy)
    ]

    assert said == [seconds, None]
