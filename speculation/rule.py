"""The rule: is this bet worth its dollars?

    EV = P * L * lambda - (1 - P) * C          launch iff L > 0 and EV >= (1 - alpha) * C

2606.07846 6.1. A hit costs nothing extra (the call was due anyway), a miss wastes C; `alpha` moves
the bar from break-even (1) to a full C of expected gain (0). App. D.2 of the paper prints another
break-even; it contradicts 6.1 and is not used (methods.md 1).

Where the guess itself is still to be bought, its G dollars are spent either way (ours):

    EV = P * L * lambda - (1 - P) * C - G          buy iff L > 0 and EV >= (1 - alpha) * (C + G)
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum

from forerun.speculation.quantities import FIGURES, ONE, ZERO

RULE = "forerun-rule/1"
"""Named in every decision, so that an auditor knows which arithmetic to repeat."""


class Verdict(StrEnum):
    """What a decision says."""

    LAUNCH = "launch"
    HOLD = "hold"
    BUY = "buy"
    CONTINUE = "continue"
    CUT = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Expected value of a bet and the bar it must reach, in dollars."""

    ev_usd: Decimal
    threshold_usd: Decimal

    @property
    def pays(self) -> bool:
        """Whether the expected value reaches the bar."""
        return self.ev_usd >= self.threshold_usd


def worth(
    *,
    p: Decimal,
    seconds_saved: Decimal,
    usd_per_second: Decimal,
    cost_usd: Decimal,
    alpha: Decimal,
    guess_usd: Decimal = ZERO,
) -> Worth:
    """Both sides of the inequality, in the fixed context and in this order of operations.

    `p` in [0, 1], `seconds_saved` (L) in seconds, `usd_per_second` (lambda), `cost_usd` (C) the
    dollars expected to be wasted if the bet is wrong, `alpha` in [0, 1], `guess_usd` (G) the dollars
    that the guess is still to be bought for.
    """
    with localcontext(FIGURES):
        gain = p * (seconds_saved * usd_per_second)
        loss = (ONE - p) * cost_usd
        return Worth(
            ev_usd=gain - loss - guess_usd,
            threshold_usd=(ONE - alpha) * (cost_usd + guess_usd),
        )


def break_even(*, gain_usd: Decimal, cost_usd: Decimal, alpha: Decimal) -> Decimal:
    """P_min: the least P at which a bet pays, `(2 - alpha) C / (L lambda + C)`; above 1: never."""
    with localcontext(FIGURES):
        return (2 - alpha) * cost_usd / (gain_usd + cost_usd)


def critical_branches(*, gain_usd: Decimal, cost_usd: Decimal, alpha: Decimal) -> Decimal:
    """k_crit: a router uniform over more branches than this waits by itself (2606.07846 7.6)."""
    with localcontext(FIGURES):
        return (gain_usd + cost_usd) / ((2 - alpha) * cost_usd)
