"""The local activities that decide, settle and keep the record chain.

They run inside the workflow's worker, one at a time, in a few milliseconds, and touch nothing but
this process's memory. The marker that Temporal writes for each is the record itself: a run branches
only on what it says, so a better estimator or a new price never breaks the replay of an old run.
The result of each is exactly `{"records": [...]}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from temporalio import activity

from forerun.activities.appraisal import Appraisal
from forerun.activities.decision_request import (
    DecideRequest,
    Learned,
    LearnRequest,
    Opening,
    OpenRequest,
    Records,
    SettleRequest,
)
from forerun.activities.operation import OperationCard
from forerun.activities.price_lookup import CancelPolicies, Prices
from forerun.activities.situation import situation_of
from forerun.speculation.choice import decide
from forerun.speculation.experience import Experience
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
        """Judge a batch of bets, the live ones again, and what guesses to buy.

        Recorded is what changes something: a live bet that is kept is not, nor is one that was held
        before for the same calls.
        """
        self._experience.learn(request.observed)
        appraisal = Appraisal(
            request,
            prices=self._prices,
            cancel_billing=self._cancel_billing,
            experience=self._experience,
        )
        decisions = [
            decision
            for decision in decide(situation_of(request, appraisal))
            if decision.verdict is not Verdict.HOLD or decision.question not in request.held
        ]
        return Records(records=chained(decisions, request.previous))

    @activity.defn(name="settle")
    async def settle(self, request: SettleRequest) -> Records:
        """Write down outcomes and purchases, and guesses compared and tested."""
        self._experience.learn(request.observed)
        ends = [*request.outcomes, *request.purchases]
        certain = [*request.compared, *ends, *request.guesses]
        return Records(records=chained(certain, request.previous))

    def _known(self, names: Sequence[str]) -> dict[str, OperationCard]:
        return {name: self._cards[name] for name in names if name in self._cards}
