"""What calls are expected to take and to cost, before they run: one appraisal per decision point.

The law: unknown is None, never 0. A call whose price nobody knows has no dollars, and so no bet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from forerun.activities.decision_request import (
    CallView,
    DecideRequest,
    PurchaseView,
    SpeculationView,
)
from forerun.activities.price_lookup import CancelPolicies, Prices
from forerun.speculation.assessment import share_of, total
from forerun.speculation.bet import Stake
from forerun.speculation.buying import Purchase
from forerun.speculation.estimates import Estimate, Work, estimate
from forerun.speculation.experience import Experience
from forerun.speculation.pricing import (
    Rates,
    Tariff,
    fresh_input_usd,
    output_usd,
    worst_case_usd,
)
from forerun.speculation.quantities import ZERO

MILLI = -3


class _Dollars(NamedTuple):
    """Expected dollars of input and output, the most that the call can cost, and the rates."""

    input: Decimal | None
    output: Decimal | None
    worst: Decimal | None
    rates: Rates | None = None


@dataclass(frozen=True, slots=True)
class _Terms:
    """What all calls of an operation have in common: a batch has many calls of few operations.

    `tariff` is None where nobody knows the prices.
    """

    tariff: Tariff | None
    whole_output: bool


class Appraisal:
    """The calls of one request, estimated and priced as of its time."""

    def __init__(
        self,
        request: DecideRequest,
        *,
        prices: Prices,
        cancel_billing: CancelPolicies,
        experience: Experience,
    ) -> None:
        self._at = request.at
        self._prices = prices
        self._cancel_billing = cancel_billing
        self._experience = experience
        self._terms: dict[str, _Terms] = {}
        self._works = {name: view.work for name, view in request.nodes.items() if view.work}
        self.expected = {name: estimate(work, experience) for name, work in self._works.items()}
        """By node, as far as it makes a call: what is expected of that call."""

    def stake(self, call: CallView) -> Stake:
        """A call as a bet sees it; one that is not rendered yet, by the length of its template.

        Raises:
            ValueError: its node makes no call.
        """
        work = self._works.get(call.node)
        if work is None:
            raise ValueError(f"{call.node} makes no call that could be speculated on")
        expected, size = self.expected[call.node], work.input_bytes
        if call.fingerprint is not None:
            size = call.input_bytes
            expected = estimate(work, self._experience, size)
        terms = self._terms_of(work.operation)
        dollars = _dollars(work, expected, size, terms.tariff)
        return Stake(
            node=call.node,
            operation=work.operation,
            fingerprint=call.fingerprint,
            waits_for=call.waits_for,
            ms=expected.ms,
            input_tokens=expected.input_tokens,
            output_tokens=expected.output_tokens,
            estimate_basis=expected.basis,
            input_usd=dollars.input,
            output_usd=dollars.output,
            worst_usd=dollars.worst,
            rates=dollars.rates,
            whole_output=terms.whole_output,
            disclosure=call.disclosure,
        )

    def left(self, view: SpeculationView) -> Stake:
        """What is left of a running call: its input is sunk, and its output where all is billed."""
        running = CallView(node=view.node, fingerprint=None, waits_for=(), input_bytes=0)
        whole = self.stake(running)
        ms = max(whole.ms - view.elapsed_ms, 0)
        share = share_of(ms, whole.ms)
        unpaid = whole.output_usd if whole.output_usd is not None else ZERO
        return replace(
            whole,
            fingerprint=view.fingerprint,
            ms=ms,
            input_tokens=0,
            output_tokens=round(whole.output_tokens * share),
            input_usd=ZERO,
            output_usd=ZERO if whole.whole_output else unpaid * share,
            worst_usd=ZERO,
            whole_output=False,
        )

    def purchase(self, view: PurchaseView) -> Purchase:
        """What it takes to have a guess made; each of its `k` answers is asked on its own."""
        work, size = view.work, view.input_bytes
        expected = estimate(work, self._experience, size)
        dollars = _dollars(work, expected, size, self._terms_of(work.operation).tariff)
        each = total([dollars.input, dollars.output])
        return Purchase(
            operation=work.operation,
            k=view.k,
            fingerprint=view.fingerprint,
            seconds=Decimal(expected.ms).scaleb(MILLI),
            input_tokens=expected.input_tokens,
            output_tokens=expected.output_tokens,
            estimate_basis=expected.basis,
            rates=dollars.rates,
            cost_usd=None if each is None else view.k * each,
            worst_usd=None if dollars.worst is None else view.k * dollars.worst,
        )

    def _terms_of(self, operation: str) -> _Terms:
        if operation not in self._terms:
            provider, _, model = operation.partition(":")
            self._terms[operation] = _Terms(
                tariff=self._prices.tariff(provider, model, self._at) if model else None,
                whole_output=self._cancel_billing.whole_output(operation),
            )
        return self._terms[operation]


def _dollars(work: Work, expected: Estimate, input_bytes: int, tariff: Tariff | None) -> _Dollars:
    if work.tool_usd is not None:
        return _Dollars(input=work.tool_usd, output=ZERO, worst=work.tool_usd)
    if tariff is None:
        return _Dollars(input=None, output=None, worst=None)
    rates = tariff.rates(expected.input_tokens)
    # A long prompt may be priced dearer: the worst case takes every byte for a token.
    dearest = tariff.rates(input_bytes)
    return _Dollars(
        input=fresh_input_usd(rates, expected.input_tokens),
        output=output_usd(rates, expected.output_tokens),
        worst=worst_case_usd(
            dearest, input_bytes=input_bytes, max_output_tokens=work.max_output_tokens
        ),
        rates=rates,
    )
