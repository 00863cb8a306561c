"""The `set_policy` update: raw JSON in, one clear line out when it does not parse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.policy import Policy
    from forerun.speculation.quantities import ONE, ZERO, number

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
        amount = number(value)
    except ValueError as error:
        raise _invalid(f"{key}: {error}") from None
    if amount < ZERO or (key == "alpha" and amount > ONE):
        raise _invalid(f"{key}: {value!r:.80} is out of range: {FORM}")
    return amount


def _invalid(problem: str) -> ApplicationError:
    return ApplicationError(f"set_policy: {problem}", type="InvalidPolicy", non_retryable=True)
