"""The ledger: every dollar of a run, in exactly one of four places.

    spent = authoritative + promoted + wasted + guesses

It never divides, so it is exact to the last digit, and it is rebuilt from the recorded calls alone.
Unknown dollars are counted as `unpriced_calls`, never as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from forerun.speculation.quantities import ZERO
from forerun.speculation.table import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A value: each entry makes a new one.

    `reserved` holds the worst case per open speculation or purchase. One that ends at an unknown price keeps its
    worst case against the budget, as `unknown_usd`: unknown is not 0.
    """

    authoritative_usd: Decimal = ZERO
    promoted_usd: Decimal = ZERO
    wasted_usd: Decimal = ZERO
    guess_usd: Decimal = ZERO
    unknown_usd: Decimal = ZERO
    unpriced_calls: int = 0
    launched: int = 0
    endings: Mapping[Ending, int] = field(default_factory=lambda: dict.fromkeys(Ending, 0))
    reserved: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])

    @property
    def spent_usd(self) -> Decimal:
        """Everything paid or owed."""
        return self.authoritative_usd + self.promoted_usd + self.wasted_usd + self.guess_usd

    @property
    def at_risk_usd(self) -> Decimal:
        """What counts against the budget: worst cases, open or unknown for good, waste and guesses."""
        worst = sum(self.reserved.values(), self.unknown_usd)
        return worst + self.wasted_usd + self.guess_usd

    def paid(self, usd: Decimal | None) -> Ledger:
        """An authoritative call ended (or gave up) at this price; None where it is unknown."""
        if usd is None:
            return replace(self, unpriced_calls=self.unpriced_calls + 1)
        return replace(self, authoritative_usd=self.authoritative_usd + usd)

    def compared(self, usd: Decimal | None) -> Ledger:
        """A guess was compared with its answer at this price; None where it is unknown."""
        if usd is None:
            return replace(self, unpriced_calls=self.unpriced_calls + 1)
        return replace(self, guess_usd=self.guess_usd + usd)

    def reserve(self, speculation: str, worst_usd: Decimal) -> Ledger:
        """A speculation was launched."""
        reserved = {**self.reserved, speculation: worst_usd}
        return replace(self, reserved=reserved, launched=self.launched + 1)

    def buy(self, purchase: str, worst_usd: Decimal) -> Ledger:
        """A guess is being bought."""
        return replace(self, reserved={**self.reserved, purchase: worst_usd})

    def bought(self, purchase: str, usd: Decimal | None) -> Ledger:
        """A bought guess ended: its reservation becomes dollars spent on guesses."""
        settled = self._released(purchase)
        if usd is None:
            return settled._unpriced(self.reserved[purchase])
        return replace(settled, guess_usd=self.guess_usd + usd)

    def settle(self, speculation: str, ending: Ending, usd: Decimal | None) -> Ledger:
        """A speculation ended: its reservation becomes a promoted or a wasted amount."""
        settled = replace(
            self._released(speculation),
            endings={**self.endings, ending: self.endings[ending] + 1},
        )
        if usd is None:
            return settled._unpriced(self.reserved[speculation])
        if ending is Ending.PROMOTED:
            return replace(settled, promoted_usd=self.promoted_usd + usd)
        return replace(settled, wasted_usd=self.wasted_usd + usd)

    def _released(self, id: str) -> Ledger:
        kept = {key: usd for key, usd in self.reserved.items() if key != id}
        return replace(self, reserved=kept)

    def _unpriced(self, worst_usd: Decimal) -> Ledger:
        """What a call cost is unknown: its worst case stays against the budget."""
        unknown = self.unknown_usd + worst_usd
        return replace(self, unpriced_calls=self.unpriced_calls + 1, unknown_usd=unknown)
