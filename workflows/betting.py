"""Placing bets: what could be bet on is surveyed, judged in a local activity, and followed.

Done is what a record says and nothing else. Between the question and its answer the run may go on:
what was launched on a value that has meanwhile proved wrong is refuted like anything else, in the
round after.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from temporalio import workflow

from forerun.workflows.options import (
    BYTES_BEFORE_SPECULATION_STOPS,
    EVENTS_BEFORE_SPECULATION_STOPS,
    MOST_LIVE_SPECULATIONS,
    NEXT_TASK,
    Lane,
)

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.policy import Policy
    from forerun.speculation.quantities import ZERO, number
    from forerun.speculation.record import Record, calls_of
    from forerun.speculation.rule import Verdict
    from forerun.speculation.table import CallTable, SpeculativeCall
    from forerun.workflows.accounts import Accounts
    from forerun.workflows.books import Books
    from forerun.workflows.dispatch import Dispatcher
    from forerun.workflows.possible import Possible, PossibleBet, batches
    from forerun.workflows.purchases import Purchases
    from forerun.workflows.run_state import now_ms
    from forerun.workflows.sentences import ask, launch
    from forerun.workflows.survey import Survey
    from forerun.workflows.views import Views


class Betting:
    """Has the bets of one run judged and launches those that pay; `drop` gives up what does not."""

    def __init__(
        self,
        policy: Policy,
        survey: Survey,
        views: Views,
        books: Books,
        table: CallTable,
        accounts: Accounts,
        purchases: Purchases,
        dispatcher: Dispatcher,
        drop: Callable[[SpeculativeCall, str], None],
    ) -> None:
        self.policy = policy
        self.stopped = False
        self._survey = survey
        self._views = views
        self._books = books
        self._table = table
        self._accounts = accounts
        self._purchases = purchases
        self._dispatcher = dispatcher
        self._drop = drop
        self._held: set[str] = set()
        self._ids = itertools.count(1)

    async def place(self, held_back: Mapping[str, str]) -> bool:
        """Judge what could be bet on now, and follow the verdicts.

        True if a bet that was placed is too wide for one record: the rest of it is judged at once.
        """
        if not self._may_bet():
            return False
        unfinished = False
        found = self._survey.look(self.policy.max_depth)
        rounds: list[list[PossibleBet]] = list(batches(found.bets))
        if not rounds and (found.purchases or any(s.live for s in self._table.open())):
            rounds = [[]]
        for some in rounds:
            last = some is rounds[-1]
            bets = {bet.question: bet for bet in some}
            request = self._views.request(
                bets.values(),
                found.purchases if last else (),
                items=found.items,
                policy=self.policy,
                funds_usd=self.policy.budget_usd - self._accounts.ledger.at_risk_usd,
                held=sorted(self._held),
                held_back=held_back,
                previous=self._books.last,
            )
            records = await self._books.decide(request)
            if not self._stands(request.policy):
                return unfinished
            for record in records:
                await self._follow(record, bets, request.policy)
                unfinished |= record["verdict"] == Verdict.LAUNCH and bool(record["later"]["calls"])
        return unfinished

    def _stands(self, policy: Policy) -> bool:
        """Whether what was judged by these dials is still to be done: if not, it is judged again."""
        return self.policy is policy and not self.stopped

    def _may_bet(self) -> bool:
        if self.stopped or self.policy.budget_usd <= ZERO:
            return False
        info = workflow.info()
        return (
            info.get_current_history_length() < EVENTS_BEFORE_SPECULATION_STOPS
            and info.get_current_history_size() < BYTES_BEFORE_SPECULATION_STOPS
            and sum(speculation.live for speculation in self._table) < MOST_LIVE_SPECULATIONS
        )

    async def _follow(
        self, record: Record, bets: Mapping[str, PossibleBet], policy: Policy
    ) -> None:
        """Do what a record says, and nothing that it does not say."""
        question = record["question"]
        match Verdict(record["verdict"]):
            case Verdict.LAUNCH:
                self._held.discard(question)
                for stake in calls_of(record):
                    await self._launch(bets[question].calls[stake["node"]], record, stake, policy)
            case Verdict.BUY:
                await self._buy(record, policy)
            case Verdict.CUT:
                for stake in calls_of(record):
                    speculation = self._table.of(stake["node"], stake["fingerprint"])
                    if speculation is not None:
                        self._drop(speculation, record["reason"])
            case _:
                self._held.add(question)

    async def _launch(
        self, possible: Possible, record: Record, stake: Record, policy: Policy
    ) -> None:
        planned, worst_usd = possible.planned, number(stake["worst_usd"])
        if planned is None or not self._stands(policy):
            return
        id = f"ahead:{possible.node}:{next(self._ids)}"
        summary = launch(possible.node, record)
        # What is recorded is launched, if need be in the next workflow task: news that arrives
        # meanwhile refutes it like any other. New dials do not wait for it.
        while not self._dispatcher.start(id, planned, planned.lane_ahead, summary):
            await workflow.sleep(NEXT_TASK)
            if not self._stands(policy):
                return
        self._table.add(
            SpeculativeCall(
                id=id,
                node=possible.node,
                call=planned.call,
                fingerprint=planned.call.fingerprint,
                bet=record["bet"],
                label=" & ".join(a["label"] for a in record["assumptions"]),
                worst_usd=worst_usd,
                launched_ms=now_ms(),
                alternatives=list(possible.alternatives),
            )
        )
        self._accounts.ledger = self._accounts.ledger.reserve(id, worst_usd)

    async def _buy(self, record: Record, policy: Policy) -> None:
        """Ask a cheaper model, as often as the record says; each answer reserves its own part."""
        if not self._stands(policy):
            return
        offer = self._purchases.buy(record["assumptions"][0]["guess"])
        # What was reserved for k answers is a multiple of k: this division is exact.
        worst_usd = number(record["purchase"]["worst_usd"]) / offer.source.k
        for _ in range(offer.source.k):
            id = f"guess:{offer.node}:{next(self._ids)}"
            while not self._dispatcher.start(id, offer.planned, Lane.SPECULATIVE, ask(record)):
                await workflow.sleep(NEXT_TASK)
                if not self._stands(policy):
                    return
            self._purchases.asked(id, offer)
            self._accounts.ledger = self._accounts.ledger.buy(id, worst_usd)
