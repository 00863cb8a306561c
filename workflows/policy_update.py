"""The `set_policy` update: raw JSON in, one clear line out when it does not parse."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.policy import Policy
    from forerun.speculation.quantities import ONE, ZERO, number, text

MOST = Decimal(10) ** 12
FINEST = Decimal("1e-15")
"""A figure is written out in full: it must not have a million digits."""

FIELDS = ("alpha", "usd_per_second", "budget_usd")
FORM = '{"alpha"?: 0..1, "usd_per_second"?: dollars, "budget_usd"?: dollars}'


def changed_policy(policy: Policy, payloads: tuple[Any, ...]) -> Policy:
    """`policy` with the fields that the update names.

    Raises:
        ApplicationError: it is not an object of that form; the update is rejected, without a trace
            in history.
    """
    update = payloads[0] if len(payloads) == 1 else None
    if not isinstance(update, dict) or not update:
        raise _invalid(f"needs one JSON object {FORM}, got {list(payloads)!r:.80}")
    changes = {key: _checked(key, value) for key, value in cast("dict[str, Any]", update).items()}
    return replace(policy, **changes)


def _checked(key: str, value: Any) -> Any:
    if key not in FIELDS:
        raise _invalid(f"unknown key {key!r:.80}: the keys are {', '.join(FIELDS)}")
    try:
        amount = number(text(number(value).quantize(FINEST)))
    except (ValueError, ArithmeticError):
        raise _invalid(f"{key}: {value!r:.80} is no number from 0 to {MOST}: {FORM}") from None
    if isinstance(value, bool) or not ZERO <= amount <= (ONE if key == "alpha" else MOST):
        raise _invalid(f"{key}: {value!r:.80} is out of range: {FORM}")
    return amount


def _invalid(problem: str) -> ApplicationError:
    return ApplicationError(f"set_policy: {problem}", type="InvalidPolicy", non_retryable=True)
