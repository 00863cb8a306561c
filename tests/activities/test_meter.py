"""The meter: one account of an attempt, whichever way it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from forerun.activities.call_result import Bill
from forerun.activities.failures import NOTHING_BILLED, Kind
from forerun.activities.meter import Meter, Metered
from forerun.activities.prices import PriceBook
from forerun.speculation.billing import FREE, Basis, CancelBilling, Cost, exact_cost
from forerun.speculation.pricing import Usage
from forerun.speculation.token_counter import TokenCounter

BOOK = PriceBook()
AT = datetime(2026, 11, 21, tzinfo=UTC)
SENT = "What is this about?"
PIECES = ["It ", "is ", "about ", "billing", "."]
INPUT = Usage(input_tokens=5)


def metered(
    model: str = "sim-mid", earlier: Bill | None = None, counter: TokenCounter | None = None
) -> Metered:
    return Metered(
        counter=counter or TokenCounter(model),
        sent=SENT,
        max_output_tokens=100,
        expected_output_tokens=50,
        rates=lambda tokens, tier: BOOK.rates(
            "openai", model, AT, input_tokens=tokens, service_tier=tier
        ),
        cancel_billing=CancelBilling.STOPS,
        earlier=earlier,
        attempt=2 if earlier else 1,
    )


def delivering(meter: Meter, pieces: list[str]) -> Meter:
    for piece in pieces:
        meter.delivered(piece)
    return meter


def bounds(cost: Cost) -> tuple[Decimal, Decimal, Decimal]:
    """All three, known."""
    assert cost.low_usd is not None
    assert cost.best_usd is not None
    assert cost.high_usd is not None
    return cost.low_usd, cost.best_usd, cost.high_usd


def test_a_usage_record_is_the_last_word() -> None:
    """What was counted before it does not matter any more."""
    meter = delivering(Meter(metered()), PIECES)

    meter.finished(Usage(input_tokens=1000, output_tokens=200, cache_read_tokens=600), None)

    assert meter.bill().cost == exact_cost(Decimal("0.00286"))
    assert meter.bill().usage.cache_read_tokens == 600


@pytest.mark.parametrize(
    "usage",
    [None, Usage(), Usage(output_tokens=5), Usage(input_tokens=5)],
    ids=["none", "zeros", "no input", "no output"],
)
def test_an_answer_without_a_credible_record_is_estimated(usage: Usage | None) -> None:
    """Zeros from a gateway that does not count are no free call."""
    meter = Meter(metered())
    meter.opened(None)
    delivering(meter, PIECES)

    meter.finished(usage, None)

    low, best, high = bounds(meter.bill().cost)
    assert 0 < low <= best <= high
    assert meter.bill().cost.basis is Basis.ESTIMATED
    assert meter.bill().usage.output_tokens == len(PIECES)


def test_an_answer_of_nothing_is_counted_as_told() -> None:
    """No output is believed where there was none."""
    meter = Meter(metered())

    meter.finished(Usage(input_tokens=500_000), None)

    assert meter.bill().cost == exact_cost(Decimal(1))


def test_a_tier_without_a_known_price_is_not_exact() -> None:
    """The price of the standard tier is then an estimate."""
    meter = Meter(metered("gpt-6.1-sol"))

    meter.finished(Usage(input_tokens=1000, output_tokens=100), "ultrafast")

    assert meter.bill().cost == exact_cost(Decimal("0.003"), basis=Basis.ESTIMATED)


def test_an_input_of_zero_is_not_believed() -> None:
    """Some gateways know the input only at the end."""
    meter = Meter(metered())

    meter.opened(Usage(input_tokens=0))

    assert meter.bill().usage.input_tokens > 0


def test_every_piece_is_a_token_at_least() -> None:
    """Dense text is counted by its pieces; empty ones do not count."""
    meter = delivering(Meter(metered()), ["a", "b", "", "c"])

    assert meter.delivered_tokens == 3
    assert delivering(Meter(metered()), [""]).first_token_seconds is None


@pytest.mark.parametrize("kind", Kind)
def test_a_failure_before_the_answer_is_free_or_unknown(kind: Kind) -> None:
    """Refused is free; lost may have cost the input, or more."""
    meter = Meter(metered())

    meter.failed(kind)

    cost = meter.bill().cost
    if kind in NOTHING_BILLED:
        assert cost == FREE
    else:
        low, best, high = bounds(cost)
        assert low == 0 < best < high


@pytest.mark.parametrize("kind", Kind)
def test_a_failure_during_the_answer_was_paid_for(kind: Kind) -> None:
    """Whatever the reason."""
    meter = Meter(metered())
    meter.opened(INPUT, in_flight_ms=50)
    delivering(meter, PIECES)

    meter.failed(kind)

    low, best, high = bounds(meter.bill().cost)
    assert low == Decimal("0.00006")
    assert low < best <= high


def test_a_reasoning_model_was_thinking_all_the_time() -> None:
    """Its silence is on the bill at best, though nobody can see it."""
    now = [0.0]
    silent = Meter(metered(), clock=lambda: now[0])
    thinking = Meter(metered("sim-reasoning"), clock=lambda: now[0])

    now[0] = 1.0

    more = bounds(thinking.bill().cost)[1] - bounds(silent.bill().cost)[1]
    assert more == Decimal("0.0009")


def test_what_is_far_away_has_more_in_flight() -> None:
    """What nobody reads any more is on the bill at best."""
    near, far = Meter(metered()), Meter(metered())

    near.opened(INPUT)
    far.opened(INPUT, in_flight_ms=100)

    more = (
        bounds(delivering(far, PIECES).bill().cost)[1]
        - bounds(delivering(near, PIECES).bill().cost)[1]
    )
    assert more == Decimal("0.00009")


def test_calls_that_finish_teach_how_to_count_the_cut_ones() -> None:
    """The same pieces come to what such pieces were billed before, input and output."""
    counter = TokenCounter("sim-mid")
    for _ in range(3):
        meter = delivering(Meter(metered(counter=counter)), PIECES)
        meter.finished(Usage(input_tokens=7, output_tokens=2 * len(PIECES)), None)

    cut = delivering(Meter(metered(counter=counter)), PIECES)

    assert cut.delivered_tokens == 2 * len(PIECES)
    assert cut.bill().usage == Usage(input_tokens=7, output_tokens=2 * len(PIECES))
    assert cut.bill().cost.basis is Basis.ESTIMATED


@pytest.mark.parametrize("usage", [None, Usage(), Usage(input_tokens=7)])
def test_a_record_that_is_not_credible_teaches_nothing(usage: Usage | None) -> None:
    """Nor do calls that fail or are cut."""
    counter = TokenCounter("sim-mid")
    for _ in range(3):
        delivering(Meter(metered(counter=counter)), PIECES).finished(usage, None)
        delivering(Meter(metered(counter=counter)), PIECES).failed(Kind.INTERRUPTED)

    fresh, taught = Meter(metered()), Meter(metered(counter=counter))

    assert delivering(taught, PIECES).bill().usage == delivering(fresh, PIECES).bill().usage


def test_attempts_add_up() -> None:
    """Usage and dollars of the attempts before are on every bill, a free one's too."""
    earlier = Bill(
        usage=INPUT, cost=exact_cost(Decimal("0.5")), rates=BOOK.rates("openai", "sim-mid", AT)
    )
    meter = Meter(metered(earlier=earlier))
    free = Meter(metered(earlier=earlier))

    meter.finished(Usage(input_tokens=500_000), None)
    free.failed(Kind.RATE_LIMITED)

    assert meter.bill().cost == exact_cost(Decimal("1.5"))
    assert meter.bill().usage.input_tokens == 500_005
    assert free.bill() == replace(earlier, attempts=2)
