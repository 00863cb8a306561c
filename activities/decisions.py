"""The local activities that decide, settle and keep the record chain.

They run inside the workflow's worker, one at a time, in a few milliseconds, and touch nothing but
this process's memory. The marker that Temporal writes for each is the record itself: a run branches
only on what it says, so a better estimator or a new price never breaks the replay of an old run.
The result of each is exactly `{"records": [...]}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from temporalio import activity

from forerun.activities.decision_request import (
    BetView,
    CallView,
    DecideRequest,
    Learned,
    LearnRequest,
    NodeView,
    Opening,
    OpenRequest,
    Phase,
    Records,
    SettleRequest,
    SpeculationView,
)
from forerun.activities.operation import OperationCard
from forerun.activities.price_lookup import CancelPolicies, Prices
from forerun.speculation.assessment import Placed, share_of
from forerun.speculation.beliefs import joint
from forerun.speculation.bet import Assumption, Bet, Stake, exclusive
from forerun.speculation.choice import decide
from forerun.speculation.continuation import reconsider
from forerun.speculation.decision import Situation
from forerun.speculation.estimates import Estimate, Work, estimate
from forerun.speculation.experience import Experience
from forerun.speculation.makespan import Ahead, Leg, Step
from forerun.speculation.pricing import Rates, Usage, input_usd, output_usd, worst_case_usd
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import chained
from forerun.speculation.rule import Verdict


class Decisions:
    """The four local activities, with what this worker knows in memory."""

    def __init__(
        self,
        *,
        prices: Prices,
        cancel_billing: CancelPolicies,
        cards: Mapping[str, OperationCard],
    ) -> None:
        self._prices = prices
        self._cancel_billing = cancel_billing
        self._cards = cards
        self._experience = Experience()

    @activity.defn(name="open_run")
    async def open_run(self, request: OpenRequest) -> Records:
        """Record what the run was started with and what its operations are on this worker."""
        opening = Opening(
            at=request.at.isoformat(),
            version=request.version,
            spec_sha256=request.spec_sha256,
            policy=request.policy,
            operations=self._known(request.operations),
            known_operations=tuple(sorted(self._cards)),
        )
        return Records(records=chained([opening], request.previous))

    @activity.defn(name="learn")
    async def learn(self, request: LearnRequest) -> Records:
        """Record what operations are on this worker that a run has come to name later."""
        learned = Learned(
            at=request.at.isoformat(),
            operations=self._known(request.operations),
            known_operations=tuple(sorted(self._cards)),
        )
        return Records(records=chained([learned], request.previous))

    @activity.defn(name="decide")
    async def decide(self, request: DecideRequest) -> Records:
        """Judge a batch of bets, and the live ones again.

        Recorded is what changes something: a live bet that is kept is not, nor is one that was held
        before for the same calls.
        """
        self._experience.learn(request.observed)
        situation = self._situation(request)
        cuts = reconsider(situation, self._live(request))
        lost = {call.stake.fingerprint for cut in cuts for call in cut.calls}
        kept = tuple(placed for placed in situation.placed if placed.fingerprint not in lost)
        decisions = [
            decision
            for decision in decide(replace(situation, placed=kept))
            if decision.verdict is not Verdict.HOLD or decision.question not in request.held
        ]
        return Records(records=chained([*cuts, *decisions], request.previous))

    @activity.defn(name="settle")
    async def settle(self, request: SettleRequest) -> Records:
        """Write down outcomes, bought guesses, and those compared and tested."""
        certain = [*request.compared, *request.outcomes, *request.purchases, *request.guesses]
        self._experience.learn(request.observed)
        return Records(records=chained(certain, request.previous))

    def _known(self, names: Sequence[str]) -> dict[str, OperationCard]:
        return {name: self._cards[name] for name in names if name in self._cards}

    def _situation(self, request: DecideRequest) -> Situation:
        works = {name: view.work for name, view in request.nodes.items() if view.work}
        estimates = {name: estimate(work, self._experience) for name, work in works.items()}
        return Situation(
            at=request.at.isoformat(),
            policy=request.policy,
            funds_usd=request.funds_usd,
            network={n: _step(view, estimates.get(n)) for n, view in request.nodes.items()},
            placed=tuple(_placed(view, estimates[view.node]) for view in request.placed),
            bets=tuple(self._bet(bet, request) for bet in request.bets),
            held_back=request.held_back,
        )

    def _live(self, request: DecideRequest) -> list[Bet]:
        """The bets under way: what is left of their calls, each under its likeliest assumptions."""
        ways: dict[tuple[str, str], list[SpeculationView]] = {}
        for view in request.placed:
            if view.assumptions and not view.done:
                ways.setdefault((view.node, view.fingerprint), []).append(view)
        bets: dict[tuple[str, ...], list[list[SpeculationView]]] = {}
        for views in ways.values():
            views.sort(key=_p, reverse=True)
            bets.setdefault(_guesses(views[0]), []).append(views)
        return [
            Bet(
                question="keep?",
                assumptions=calls[0][0].assumptions,
                alternatives=_alternatives(calls),
                conditions=(),
                calls=tuple(self._left(views[0], request) for views in calls),
            )
            for calls in bets.values()
        ]

    def _left(self, view: SpeculationView, request: DecideRequest) -> Stake:
        """What is left of a running call: its input is sunk, and its output where all is billed."""
        running = CallView(node=view.node, fingerprint=None, waits_for=(), input_bytes=0)
        whole = self._stake(running, request)
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

    def _bet(self, bet: BetView, request: DecideRequest) -> Bet:
        return Bet(
            question=bet.question,
            assumptions=bet.assumptions,
            alternatives=bet.alternatives,
            conditions=bet.conditions,
            calls=tuple(self._stake(call, request) for call in bet.calls),
            refused=bet.refused,
            skipped=bet.skipped,
        )

    def _stake(self, call: CallView, request: DecideRequest) -> Stake:
        work = request.nodes[call.node].work
        if work is None:
            raise ValueError(f"{call.node} makes no call that could be speculated on")
        if call.fingerprint is not None:
            work = replace(work, input_bytes=call.input_bytes)
        expected = estimate(work, self._experience)
        rates = self._rates(work, request.at, expected.input_tokens)
        # A long prompt may be priced by a dearer tier: the worst case takes every byte for a token.
        dearest = self._rates(work, request.at, call.input_bytes)
        inputs, outputs = _expected_usd(work, expected, rates)
        return Stake(
            node=call.node,
            operation=work.operation,
            fingerprint=call.fingerprint,
            waits_for=call.waits_for,
            ms=expected.ms,
            input_tokens=expected.input_tokens,
            output_tokens=expected.output_tokens,
            estimate_basis=expected.basis,
            input_usd=inputs,
            output_usd=outputs,
            worst_usd=_worst_usd(work, call.input_bytes, dearest),
            rates=rates,
            whole_output=self._cancel_billing.whole_output(work.operation),
        )

    def _rates(self, work: Work, at: datetime, input_tokens: int) -> Rates | None:
        if work.tool_usd is not None:
            return None
        provider, _, model = work.operation.partition(":")
        return self._prices.rates(provider, model, at, input_tokens=input_tokens)


def _expected_usd(
    work: Work, expected: Estimate, rates: Rates | None
) -> tuple[Decimal | None, Decimal | None]:
    """Expected dollars of input and output; None where unpriced."""
    if work.tool_usd is not None:
        return work.tool_usd, ZERO
    if rates is None:
        return None, None
    usage = Usage(input_tokens=expected.input_tokens)
    return input_usd(rates, usage), output_usd(rates, expected.output_tokens)


def _worst_usd(work: Work, input_bytes: int, rates: Rates | None) -> Decimal | None:
    """What a launch must reserve; None where unpriced."""
    if work.tool_usd is not None or rates is None:
        return work.tool_usd
    return worst_case_usd(rates, input_bytes=input_bytes, max_output_tokens=work.max_output_tokens)


def _step(view: NodeView, expected: Estimate | None) -> Step:
    ms = expected.ms if expected else 0
    if view.phase is Phase.RUNNING:
        return Step(upstream=view.upstream, ms=max(ms - view.elapsed_ms, 0), started=True)
    return Step(upstream=view.upstream, ms=ms)


def _placed(view: SpeculationView, expected: Estimate) -> Placed:
    left = 0 if view.done else max(expected.ms - view.elapsed_ms, 0)
    assumed = tuple(assumption.node for assumption in view.assumptions)
    ahead = Ahead(node=view.node, legs=(Leg(view.node, left),), assumed=assumed)
    return Placed(
        fingerprint=view.fingerprint,
        guesses=_guesses(view),
        ahead=ahead,
    )


def _alternatives(calls: Sequence[Sequence[SpeculationView]]) -> tuple[tuple[Assumption, ...], ...]:
    """Further ways in which all of these calls are right, of which no two can both hold."""
    by_guesses = {_guesses(view): view.assumptions for view in calls[0]}
    shared = set(by_guesses).intersection(*({_guesses(v) for v in views} for views in calls[1:]))
    ways = exclusive(way for way in by_guesses if way in shared)
    return tuple(by_guesses[way] for way in ways[1:])


def _guesses(view: SpeculationView) -> tuple[str, ...]:
    return tuple(assumption.guess for assumption in view.assumptions)


def _p(view: SpeculationView) -> Decimal:
    return joint([assumption.belief.mean for assumption in view.assumptions])
