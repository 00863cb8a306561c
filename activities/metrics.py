"""What forerun counts, and under which names.

The law: every number is read off a record, a bill or a ledger; nothing is counted twice in two ways.
Records come from local activities, which a replay does not run again, and a workflow's own meter is
silent on replay, so no number grows because a run left the cache.

Two surprises. The SDK's counters are whole numbers, so dollars and seconds are histograms: what was
spent is their `_sum`. As a float that is good enough to plot; what is owed stands in histories. And
saved seconds are a difference of two sums: they may be negative, and no sum may fall.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from temporalio.common import MetricMeter

from forerun.activities.call_result import Bill
from forerun.speculation.ledger import Ledger
from forerun.speculation.record import Record, calls_of
from forerun.speculation.rule import Verdict
from forerun.speculation.table import Ending

USD = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0, 300.0, 600.0)
SOON = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Counter:
    """A number of things."""

    name: str
    says: str

    def add(self, meter: MetricMeter, number: int = 1, **labels: str) -> None:
        """So many more."""
        meter.create_counter(self.name, self.says).add(number, labels)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Amounts, with the bounds of the buckets that they are sorted into."""

    name: str
    says: str
    buckets: tuple[float, ...]

    def record(self, meter: MetricMeter, amount: Decimal | float, **labels: str) -> None:
        """One more of this amount. The SDK raises on less than 0, and that would fail a call."""
        meter.create_histogram_float(self.name, self.says).record(max(float(amount), 0.0), labels)


DECISIONS = Counter("forerun_decisions_total", "Recorded decisions, by verdict")
LAUNCHES = Counter("forerun_launches_total", "Speculations launched, by operation")
OUTCOMES = Counter("forerun_outcomes_total", "Speculations that ended, by operation and outcome")
GUESSES = Counter("forerun_guesses_total", "Guesses that met their answer, by source")
ATTEMPTS = Counter("forerun_attempts_total", "Attempts of calls, by operation and end")
TOKENS = Counter("forerun_tokens_total", "Tokens of model calls, by operation and kind")
UNPRICED = Counter("forerun_unpriced_attempts_total", "Attempts whose dollars nobody knows")

RESERVED_USD = Histogram("forerun_reserved_usd", "Worst case that a launch reserves", USD)
WASTED_USD = Histogram("forerun_wasted_usd", "Dollars of a speculation that was not claimed", USD)
ATTEMPT_USD = Histogram("forerun_attempt_usd", "Dollars of an attempt, by operation", USD)
RUN_USD = Histogram("forerun_run_usd", "Dollars of a closed run, by place in its ledger", USD)
ATTEMPT_SECONDS = Histogram("forerun_attempt_seconds", "Duration of an attempt", SECONDS)
FIRST_TOKEN_SECONDS = Histogram("forerun_first_token_seconds", "Until the first token", SECONDS)
CUT_SECONDS = Histogram("forerun_cut_seconds", "From giving up a call to hearing its end", SOON)
RUN_SECONDS = Histogram("forerun_run_seconds", "Duration of a closed run, without people", SECONDS)
SEQUENTIAL_SECONDS = Histogram(
    "forerun_run_sequential_seconds", "What it would have been without speculation", SECONDS
)

COUNTERS = (DECISIONS, LAUNCHES, OUTCOMES, GUESSES, ATTEMPTS, TOKENS, UNPRICED)
HISTOGRAMS = (
    RESERVED_USD,
    WASTED_USD,
    ATTEMPT_USD,
    RUN_USD,
    ATTEMPT_SECONDS,
    FIRST_TOKEN_SECONDS,
    CUT_SECONDS,
    RUN_SECONDS,
    SEQUENTIAL_SECONDS,
)


def recorded(meter: MetricMeter, records: Iterable[Record]) -> None:
    """Count decisions, outcomes and tested guesses, as they are written down."""
    for record in records:
        match record["kind"]:
            case "decision":
                _decided(meter, record)
            case "outcome":
                _settled(meter, record)
            case "guess":
                GUESSES.add(meter, source=record["source"], right=str(record["right"]).lower())
            case _:
                pass


def attempted(
    meter: MetricMeter,
    *,
    operation: str,
    end: str,
    bill: Bill | None,
    seconds: float,
    first_token_seconds: float | None,
) -> None:
    """Count one attempt of a call by its own bill; None where it did not live to tell."""
    ATTEMPTS.add(meter, operation=operation, end=end)
    ATTEMPT_SECONDS.record(meter, seconds, operation=operation, end=end)
    if first_token_seconds is not None:
        FIRST_TOKEN_SECONDS.record(meter, first_token_seconds, operation=operation)
    if bill is None:
        return
    if bill.cost.best_usd is None:
        UNPRICED.add(meter, operation=operation)
    else:
        ATTEMPT_USD.record(meter, bill.cost.best_usd, operation=operation)
    for kind, tokens in _tokens(bill).items():
        if tokens > 0:
            TOKENS.add(meter, tokens, operation=operation, kind=kind)


def cut_heard(meter: MetricMeter, seconds: float) -> None:
    """Count a call that was given up: how long it took until the run heard that it is over."""
    CUT_SECONDS.record(meter, seconds)


def run_closed(
    meter: MetricMeter, ledger: Ledger, *, seconds: float, sequential_seconds: float
) -> None:
    """Count a run by its final ledger and its two durations (`workflows.timing`)."""
    places = {
        "authoritative": ledger.authoritative_usd,
        "promoted": ledger.promoted_usd,
        "wasted": ledger.wasted_usd,
        "guess": ledger.guess_usd,
    }
    for place, usd in places.items():
        RUN_USD.record(meter, usd, place=place)
    RUN_SECONDS.record(meter, seconds)
    SEQUENTIAL_SECONDS.record(meter, sequential_seconds)


def _decided(meter: MetricMeter, record: Record) -> None:
    DECISIONS.add(meter, verdict=record["verdict"])
    if record["verdict"] != Verdict.LAUNCH:
        return
    for stake in calls_of(record):
        LAUNCHES.add(meter, operation=stake["operation"])
        RESERVED_USD.record(meter, Decimal(stake["worst_usd"]), operation=stake["operation"])


def _settled(meter: MetricMeter, record: Record) -> None:
    operation, outcome = record["operation"], record["outcome"]
    OUTCOMES.add(meter, operation=operation, outcome=outcome)
    wasted = record["wasted_usd"]
    if outcome != Ending.PROMOTED and wasted is not None:
        WASTED_USD.record(meter, Decimal(wasted), operation=operation, outcome=outcome)


def _tokens(bill: Bill) -> dict[str, int]:
    """The kinds add up: `input` is what went through no cache."""
    usage = bill.usage
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    return {
        "input": usage.input_tokens - cached,
        "cache_read": usage.cache_read_tokens,
        "cache_write": usage.cache_write_tokens,
        "output": usage.output_tokens,
    }
