"""What a cut call costs: bounds that hold, whatever the counts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.billing import (
    FREE,
    UNPRICED,
    Basis,
    CancelBilling,
    Cost,
    cut_cost,
    exact_cost,
)
from forerun.speculation.pricing import Rates, Usage, call_usd, input_usd, output_usd

rate = st.decimals(min_value=0, max_value=100, places=3)
count = st.integers(min_value=0, max_value=300_000)
RATES = Rates(
    input_usd_per_mtok=Decimal(2),
    output_usd_per_mtok=Decimal(10),
    cache_read_usd_per_mtok=Decimal("0.1"),
    cache_write_usd_per_mtok=Decimal(2),
    version="book/1",
    priced_at="2026-11-21T00:00:00+00:00",
)


@st.composite
def priced(draw: st.DrawFn) -> Rates:
    return replace(RATES, input_usd_per_mtok=draw(rate), output_usd_per_mtok=draw(rate))


@given(priced(), count, count, count, count, count, st.sampled_from(CancelBilling))
def test_the_bounds_of_a_cut_hold(
    rates: Rates,
    entering: int,
    delivered: int,
    in_flight: int,
    expected: int,
    maximum: int,
    billing: CancelBilling,
) -> None:
    """Low <= best <= high; the input is in all three; high is the whole allowance."""
    usage = Usage(input_tokens=entering, output_tokens=delivered)

    cost = cut_cost(
        rates,
        usage,
        billing=billing,
        in_flight_tokens=in_flight,
        expected_output_tokens=expected,
        max_output_tokens=maximum,
    )

    assert cost.low_usd is not None
    assert cost.best_usd is not None
    assert cost.high_usd is not None
    assert input_usd(rates, usage) <= cost.low_usd <= cost.best_usd <= cost.high_usd
    assert cost.high_usd == input_usd(rates, usage) + output_usd(rates, maximum)
    if delivered <= maximum:
        assert cost.low_usd == call_usd(rates, usage)


@given(priced(), count, count, count, st.lists(count, min_size=3, max_size=3).map(sorted))
def test_an_estimated_usage_is_bounded_by_its_own_bounds(
    rates: Rates, low_input: int, more: int, maximum: int, delivered: list[int]
) -> None:
    """Whatever was really used between the bounds costs between low and high."""
    least = Usage(input_tokens=low_input, output_tokens=delivered[0])
    usage = Usage(input_tokens=low_input + more, output_tokens=delivered[1])
    most = Usage(input_tokens=low_input + 2 * more, output_tokens=delivered[2])

    cost = cut_cost(
        rates,
        usage,
        billing=CancelBilling.STOPS,
        in_flight_tokens=0,
        expected_output_tokens=0,
        max_output_tokens=maximum,
        at_least=least,
        at_most=most,
    )

    assert cost.low_usd is not None
    assert cost.best_usd is not None
    assert cost.high_usd is not None
    assert cost.low_usd <= cost.best_usd <= cost.high_usd
    capped = replace(usage, output_tokens=min(usage.output_tokens, maximum))
    assert cost.low_usd <= call_usd(rates, capped) <= cost.high_usd


@given(count, count, st.sampled_from(CancelBilling))
def test_a_meter_that_does_not_stop_is_dearer(
    delivered: int, expected: int, billing: CancelBilling
) -> None:
    """Whoever bills in full, or may, is never the cheaper assumption."""

    def best(policy: CancelBilling) -> tuple[Decimal, Basis]:
        cost = cut_cost(
            RATES,
            Usage(input_tokens=100, output_tokens=delivered),
            billing=policy,
            in_flight_tokens=0,
            expected_output_tokens=expected,
            max_output_tokens=300_000,
        )
        assert cost.best_usd is not None
        return cost.best_usd, cost.basis

    usd, basis = best(billing)
    assert usd >= best(CancelBilling.STOPS)[0]
    assert basis is (Basis.ASSUMED_FULL if billing.whole_output else Basis.ESTIMATED)


def test_the_savings_of_a_cut() -> None:
    """2,000 in and 150 of 500 out at $2/$10 cost $0.0055 instead of $0.0090."""
    cost = cut_cost(
        RATES,
        Usage(input_tokens=2000, output_tokens=150),
        billing=CancelBilling.STOPS,
        in_flight_tokens=0,
        expected_output_tokens=500,
        max_output_tokens=500,
    )

    assert cost.best_usd == Decimal("0.0055")
    assert cost.high_usd == Decimal("0.0090")


def test_without_rates_there_is_no_price() -> None:
    """None, never 0."""
    cost = cut_cost(
        None,
        Usage(input_tokens=1),
        billing=CancelBilling.STOPS,
        in_flight_tokens=0,
        expected_output_tokens=0,
        max_output_tokens=0,
    )

    assert cost == UNPRICED


@st.composite
def costs(draw: st.DrawFn) -> Cost:
    low, best, high = sorted(draw(st.tuples(rate, rate, rate)))
    spread = Cost(low_usd=low, best_usd=best, high_usd=high, basis=Basis.ESTIMATED)
    return draw(st.sampled_from([UNPRICED, exact_cost(low), spread]))


@given(costs(), costs(), costs())
def test_bills_add_up_in_any_order(one: Cost, two: Cost, three: Cost) -> None:
    """Free changes nothing, and the vaguest basis wins."""
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + FREE == one
    if UNPRICED in (one, two):
        assert one + two == UNPRICED


@pytest.mark.parametrize("basis", Basis)
def test_the_vaguer_basis_wins(basis: Basis) -> None:
    """A sum is no better known than its parts."""
    known = exact_cost(Decimal(1))
    other = exact_cost(Decimal(2), basis=basis)

    assert (known + other).basis is basis
