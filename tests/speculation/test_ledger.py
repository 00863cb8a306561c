"""The ledger conserves dollars to the last digit, and the record chain breaks on any change."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.ledger import Ledger
from forerun.speculation.record import GENESIS, chained, seal_of
from forerun.speculation.table import Ending

money = st.decimals(0, 10, places=9)


def test_comparing_is_paid_as_guessing_is() -> None:
    """Whatever was found; a price that nobody knows is counted, and is not 0."""
    ledger = Ledger().compared(Decimal("0.000002")).compared(None).compared(Decimal("0.1"))

    assert ledger.guess_usd == ledger.spent_usd == ledger.at_risk_usd == Decimal("0.100002")
    assert ledger.unpriced_calls == 1


@given(st.lists(money), st.lists(st.tuples(money, money, st.sampled_from(Ending))))
def test_every_dollar_is_in_one_place(
    paid: list[Decimal], bets: list[tuple[Decimal, Decimal, Ending]]
) -> None:
    """Spent = authoritative + promoted + wasted + guesses, exactly, whatever the order."""
    ledger = Ledger()
    for usd in paid:
        ledger = ledger.paid(usd)
    for i, (worst, _, _) in enumerate(bets):
        ledger = ledger.reserve(f"s{i}", worst)
    for i, (_, usd, ending) in enumerate(bets):
        ledger = ledger.settle(f"s{i}", ending, usd)

    promoted = sum(usd for _, usd, ending in bets if ending is Ending.PROMOTED)
    assert ledger.authoritative_usd == sum(paid)
    assert ledger.promoted_usd == promoted
    assert ledger.wasted_usd == sum(usd for _, usd, _ in bets) - promoted
    assert ledger.spent_usd == sum(paid) + sum(usd for _, usd, _ in bets)
    assert ledger.launched == sum(ledger.endings.values()) == len(bets)
    assert ledger.at_risk_usd == ledger.wasted_usd


def test_unknown_dollars_are_counted_and_never_zero() -> None:
    """An unpriced call shows as such."""
    ledger = Ledger().paid(None).reserve("s", Decimal(1)).settle("s", Ending.CUT, None)

    assert (ledger.spent_usd, ledger.unpriced_calls) == (0, 2)
    assert ledger.at_risk_usd == 1


def test_reservations_count_against_the_budget_until_settled() -> None:
    """At risk: open worst cases and what is lost already."""
    ledger = Ledger().reserve("a", Decimal(2)).reserve("b", Decimal(3))
    assert ledger.at_risk_usd == 5

    assert ledger.settle("a", Ending.CUT, Decimal("0.5")).at_risk_usd == Decimal("3.5")


def records() -> list[dict[str, Any]]:
    """A chain of three."""
    return chained([{"kind": "x", "usd": Decimal("0.10"), "n": i} for i in range(3)], GENESIS)


def test_a_chain_is_unbroken() -> None:
    """Each record names the hash of the one before it, and its own."""
    chain = records()

    assert [r["previous"] for r in chain] == [GENESIS, chain[0]["sha256"], chain[1]["sha256"]]
    assert all(seal_of(record) == record["sha256"] for record in chain)
    assert chain[0]["usd"] == "0.1"


@pytest.mark.parametrize(
    ("key", "value"), [("usd", "0.10"), ("n", 7), ("kind", "y"), ("previous", "0")]
)
def test_any_change_breaks_the_seal(key: str, value: object) -> None:
    """Even another spelling of the same number is another record."""
    altered = copy.deepcopy(records()[1])
    altered[key] = value

    assert seal_of(altered) != altered["sha256"]
