"""The operator's dials. All of them can change while a run is live."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`alpha` in [0, 1]: 0 is most careful, 1 bets at break-even (2606.07846 6.1).

    `usd_per_second` is lambda, what a second is worth. `budget_usd` bounds what a run may have at
    risk or lost on guesses; 0 means no speculation. `p_bound` decides on that lower credible bound
    of P in place of its mean.
    """

    alpha: Decimal = Decimal("0.5")
    usd_per_second: Decimal = Decimal("0.01")
    budget_usd: Decimal = Decimal("0.50")
    max_breadth: int = 3
    max_depth: int = 3
    p_bound: Decimal | None = None
