"""What one attempt of a model call has cost so far, at any moment.

A call can end in four ways: with a usage record, with an answer but no record, broken off, or
refused before it began. The same meter answers for all of them, so that a heartbeat, a cut, a
failure and a completed call cannot disagree. Bills of earlier attempts are added throughout.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from forerun.activities.call_result import Bill
from forerun.activities.failures import NOTHING_BILLED, Kind
from forerun.speculation.billing import (
    FREE,
    UNPRICED,
    Basis,
    CancelBilling,
    Cost,
    cut_cost,
    exact_cost,
)
from forerun.speculation.pricing import Rates, Usage, call_usd
from forerun.speculation.token_counter import TokenCounter
from forerun.speculation.tokens import Makeup, TokenRange, in_flight_tokens, makeup_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """What the meter needs to know of a call.

    `counter` counts what no usage record tells; it is the model's, and learns from this call too.
    `sent` is all text that goes to the provider. `rates` gives the rates for a number of input
    tokens and the service tier that was served. `earlier` is the bill of the attempts before.
    """

    counter: TokenCounter
    sent: str
    max_output_tokens: int
    expected_output_tokens: int
    rates: Callable[[int, str | None], Rates | None]
    cancel_billing: CancelBilling
    earlier: Bill | None
    attempt: int


class Meter:
    """Counts one attempt while it streams. Times are seconds since its start."""

    def __init__(self, call: Metered, clock: Callable[[], float] = time.monotonic) -> None:
        self._call = call
        self._clock = clock
        self._began = clock()
        self._sent = makeup_of(call.sent)
        self._estimated_input = call.counter.input(self._sent)
        self._input: Usage | None = None
        self._answer = Makeup()
        self._pieces = 0
        self._opened = False
        self._in_flight_ms = 0
        self._free = False
        self._final: Usage | None = None
        self._finished = False
        self._service_tier: str | None = None
        self.first_token_seconds: float | None = None

    @property
    def seconds(self) -> float:
        """How long the attempt has taken."""
        return self._clock() - self._began

    @property
    def delivered_tokens(self) -> int:
        """Tokens that have arrived, as well as we can count them."""
        return self._delivered().best

    def opened(self, input_usage: Usage | None, in_flight_ms: int = 0) -> None:
        """The answer has begun; the provider may already say what the input was.

        After a cut it goes on for another `in_flight_ms`.
        """
        self._opened = True
        self._in_flight_ms = in_flight_ms
        # Some gateways start with an input of 0 and correct themselves at the end.
        self._input = input_usage if input_usage and input_usage.input_tokens else None

    def delivered(self, text: str) -> None:
        """A piece of the answer has arrived, or of the reasoning before it."""
        if not text:
            return
        if self.first_token_seconds is None:
            self.first_token_seconds = self.seconds
        self._answer += makeup_of(text)
        self._pieces += 1

    def finished(
        self, usage: Usage | None, service_tier: str | None, hidden_tokens: int | None = None
    ) -> None:
        """The answer is complete; `hidden_tokens` of its output were never sent, if that is known."""
        self._finished, self._service_tier = True, service_tier
        if usage is not None and self._is_believable(usage):
            self._final = usage
            # Only a call that finished shows how to count those that will be cut.
            counter = self._call.counter
            counter.learn_input(self._sent, usage.input_tokens)
            counter.learn_output(self._answer, self._pieces, usage.output_tokens, hidden_tokens)

    def failed(self, kind: Kind) -> None:
        """The attempt is over without an answer."""
        self._free = not self._opened and kind in NOTHING_BILLED

    def bill(self) -> Bill:
        """The bill of all attempts if this one ended now."""
        bill = replace(self._attempt_bill(), attempts=self._call.attempt)
        earlier = self._call.earlier
        if earlier is None:
            return bill
        return replace(
            bill,
            usage=earlier.usage + bill.usage,
            cost=earlier.cost + bill.cost,
            rates=bill.rates or earlier.rates,
        )

    def _attempt_bill(self) -> Bill:
        if self._free:
            return Bill(cost=FREE)
        if self._final is not None:
            return self._exact_bill(self._final)
        usage = self._usage(lambda count: count.best)
        rates = self._rates(usage)
        cost = self._uncounted_cost(rates, usage) if self._finished else self._cut(rates, usage)
        return Bill(usage=usage, cost=cost, rates=rates)

    def _is_believable(self, usage: Usage) -> bool:
        """Gateways that do not count send zeros, which would look like a free call."""
        return bool(usage.input_tokens and (usage.output_tokens or not self._pieces))

    def _exact_bill(self, usage: Usage) -> Bill:
        rates = self._rates(usage)
        if rates is None:
            return Bill(usage=usage, cost=UNPRICED)
        cost = exact_cost(call_usd(rates, usage), basis=Basis(rates.basis))
        return Bill(usage=usage, cost=cost, rates=rates)

    def _uncounted_cost(self, rates: Rates | None, usage: Usage) -> Cost:
        """A complete answer of a provider that sends no usage record."""
        if rates is None:
            return UNPRICED
        return Cost(
            low_usd=call_usd(rates, self._usage(lambda count: count.low)),
            best_usd=call_usd(rates, usage),
            high_usd=call_usd(rates, self._usage(lambda count: count.high)),
            basis=Basis.ESTIMATED,
        )

    def _cut(self, rates: Rates | None, usage: Usage) -> Cost:
        call = self._call
        return cut_cost(
            rates,
            usage,
            billing=call.cancel_billing,
            in_flight_tokens=self._unseen_tokens(usage.output_tokens),
            expected_output_tokens=call.expected_output_tokens,
            max_output_tokens=call.max_output_tokens,
            # Before anything has come back, the request may not even have been read.
            at_least=self._usage(lambda count: count.low) if self._opened else Usage(),
            at_most=self._usage(lambda count: count.high),
        )

    def _unseen_tokens(self, delivered: int) -> int:
        waited = self.seconds if self.first_token_seconds is None else self.first_token_seconds
        streaming_ms = round((self.seconds - waited) * 1000)
        hidden = self._call.counter.hidden(round(waited * 1000))
        return hidden + in_flight_tokens(delivered, streaming_ms, self._in_flight_ms)

    def _usage(self, bound: Callable[[TokenRange], int]) -> Usage:
        known = self._input or Usage(input_tokens=bound(self._estimated_input))
        return replace(known, output_tokens=bound(self._delivered()))

    def _delivered(self) -> TokenRange:
        return self._call.counter.output(self._answer, self._pieces)

    def _rates(self, usage: Usage) -> Rates | None:
        return self._call.rates(usage.input_tokens, self._service_tier)
