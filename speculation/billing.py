"""What a cut call costs.

After a cancelled stream no vendor sends a usage record, and whether the meter stops at all is the
provider's policy. So a cut has three numbers (low, best, high) and says what they are based on.
The formula for a fractional waste is ours (methods.md 5: it is not in 2606.07846).
"""

# No postponed annotations: pydantic would look their names up in sys.modules, and the workflow
# sandbox has only those modules there that the workflow itself imported.

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from forerun.speculation.pricing import Rates, Usage, input_usd, output_usd
from forerun.speculation.quantities import ZERO


class CancelBilling(StrEnum):
    """What a provider bills when its stream is closed early."""

    STOPS = "stops"
    BILLS_FULL = "bills_full"
    UNKNOWN = "unknown"

    @property
    def whole_output(self) -> bool:
        """Whether the whole output must be expected on the bill; unknown counts as yes."""
        return self is not CancelBilling.STOPS


class Basis(StrEnum):
    """How the dollars of a call are known, the surest first."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    ASSUMED_FULL = "assumed_full"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Dollars of one call: `low <= best <= high`, equal where the bill is exact.

    All three are None where the call is `unpriced`.
    """

    low_usd: Decimal | None
    best_usd: Decimal | None
    high_usd: Decimal | None
    basis: Basis

    def __add__(self, other: "Cost") -> "Cost":
        """Both bills together, no better known than the vaguer one."""
        return Cost(
            low_usd=_sum(self.low_usd, other.low_usd),
            best_usd=_sum(self.best_usd, other.best_usd),
            high_usd=_sum(self.high_usd, other.high_usd),
            basis=max(self.basis, other.basis, key=list(Basis).index),
        )


FREE = Cost(low_usd=ZERO, best_usd=ZERO, high_usd=ZERO, basis=Basis.EXACT)
UNPRICED = Cost(low_usd=None, best_usd=None, high_usd=None, basis=Basis.UNPRICED)


def exact_cost(usd: Decimal, *, basis: Basis = Basis.EXACT) -> Cost:
    """A bill known to the last digit."""
    return Cost(low_usd=usd, best_usd=usd, high_usd=usd, basis=basis)


def cut_cost(
    rates: Rates | None,
    usage: Usage,
    *,
    billing: CancelBilling,
    in_flight_tokens: int,
    expected_output_tokens: int,
    max_output_tokens: int,
    at_least: Usage | None = None,
    at_most: Usage | None = None,
) -> Cost:
    """Dollars of a call cut after `usage.output_tokens` were delivered (llm.md 2.3).

    The input is billed in full. Where the meter stops, the output is what was delivered plus what
    was in flight; otherwise the whole expected output. `low` is what was delivered, `high` the
    whole allowance. `at_least` and `at_most` are the bounds of a usage that was estimated.
    """
    if rates is None:
        return UNPRICED
    least, most = at_least or usage, at_most or usage
    paid = input_usd(rates, usage)
    delivered = min(usage.output_tokens, max_output_tokens)
    if billing.whole_output:
        best, basis = max(delivered, expected_output_tokens), Basis.ASSUMED_FULL
    else:
        best, basis = delivered + in_flight_tokens, Basis.ESTIMATED
    return Cost(
        low_usd=input_usd(rates, least)
        + output_usd(rates, min(least.output_tokens, max_output_tokens)),
        best_usd=paid + output_usd(rates, min(best, max_output_tokens)),
        high_usd=input_usd(rates, most) + output_usd(rates, max_output_tokens),
        basis=basis,
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
