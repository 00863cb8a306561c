"""What model tokens cost, as far as an activity needs to know: questions, no table behind them.

The law: nothing here imports a price table or a vendor, so workflow modules may import whatever
imports this. `activities.prices` knows the prices, `workers` hands the answers in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from forerun.speculation.billing import CancelBilling
from forerun.speculation.pricing import Rates, Tariff

CANCEL_BILLING: Mapping[str, CancelBilling] = MappingProxyType(
    {"openai": CancelBilling.STOPS, "anthropic": CancelBilling.STOPS}
)
"""What providers bill when a stream is closed early, as far as anybody has measured.

Neither vendor promises it: both are listed as stopping by a gateway that settles with them, and
invoices are the last word. A gateway in between may bill in full: override it there.
"""


class Prices(Protocol):
    """Where rates come from."""

    def tariff(self, provider: str, model: str, at: datetime) -> Tariff | None:
        """Standard rates of a model at a time (aware, UTC), for prompts of any length.

        None where nobody knows them: unknown is never 0.
        """
        ...

    def rates(
        self,
        provider: str,
        model: str,
        at: datetime,
        *,
        input_tokens: int = 0,
        service_tier: str | None = None,
    ) -> Rates | None:
        """Rates of one call, by its tariff; None where nobody knows them, never 0.

        Some models are dearer above a prompt length: `input_tokens` picks those rates, and 0 the
        base ones. `service_tier` is the tier that the provider says it served; None is standard.
        """
        ...


class CancelPolicies:
    """What each provider bills when its stream is closed early; one that is not named is unknown."""

    def __init__(self, overrides: Mapping[str, CancelBilling] | None = None) -> None:
        self._policies = {**CANCEL_BILLING, **(overrides or {})}

    def of(self, provider: str) -> CancelBilling:
        """The policy of `provider`."""
        return self._policies.get(provider, CancelBilling.UNKNOWN)

    def whole_output(self, operation: str) -> bool:
        """Whether a cut call of `operation` (`provider:model`) is billed its whole output."""
        return self.of(operation.partition(":")[0]).whole_output
