"""What must hold of every run: one law per module, each a function from a `Run` to its violations.

A law reads only what is recorded. It may rely on the shapes that `reading` has checked, and on
nothing else: not on the chain being whole, not on other laws having passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from forerun.workers.audit.laws import (
    bills,
    budget,
    chain,
    comparisons,
    costs,
    ends,
    figures,
    gates,
    guesses,
    launches,
    ledger,
    outcomes,
)
from forerun.workers.audit.run import Run
from forerun.workers.audit.violation import Violation

LAWS: tuple[Callable[[Run], Iterator[Violation]], ...] = (
    chain.check,
    figures.check,
    costs.check,
    launches.check,
    outcomes.check,
    guesses.check,
    comparisons.check,
    gates.check,
    budget.check,
    bills.check,
    ledger.check,
    ends.check,
)
