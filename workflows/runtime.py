"""The speculation runtime of one run: place bets, claim them, refute them, settle them.

It is driven from one coroutine, in this order: what has ended is absorbed; needs claim what was
started ahead; what has been refuted is cut; what is certain is written down; new bets are placed.
Claims come before refutations, so that a call which turns out right by another way is never cut.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from temporalio import workflow

from forerun.workflows.options import (
    BYTES_BEFORE_SPECULATION_STOPS,
    EVENTS_BEFORE_SPECULATION_STOPS,
    MOST_LIVE_SPECULATIONS,
    NEXT_TASK,
    Lane,
)

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Completed, Cut
    from forerun.speculation.guess import Guess
    from forerun.speculation.policy import Policy
    from forerun.speculation.quantities import ZERO, number
    from forerun.speculation.record import Record, calls_of
    from forerun.speculation.rule import Verdict
    from forerun.speculation.table import CallTable, Ending, SpeculativeCall
    from forerun.workflows.accounts import Accounts
    from forerun.workflows.bills import bill_of
    from forerun.workflows.books import Books
    from forerun.workflows.checkpoints import Checkpoints
    from forerun.workflows.comparisons import Comparisons
    from forerun.workflows.dispatch import Dispatcher, Ended, Planned
    from forerun.workflows.guesses import Sources
    from forerun.workflows.planning import Planner
    from forerun.workflows.possible import Possible, PossibleBet, batches
    from forerun.workflows.rate_limits import RateLimits
    from forerun.workflows.refutation import Refutation
    from forerun.workflows.resemblance import Resemblance
    from forerun.workflows.run_state import Nodes, now_ms
    from forerun.workflows.sentences import launch
    from forerun.workflows.settlement import tested
    from forerun.workflows.survey import Survey
    from forerun.workflows.views import Views


class Runtime:
    """The bets of one run and what became of them."""

    def __init__(
        self,
        nodes: Nodes,
        planner: Planner,
        books: Books,
        dispatcher: Dispatcher,
        checkpoints: Checkpoints,
        policy: Policy,
    ) -> None:
        self.policy = policy
        self.table = CallTable()
        self.accounts = Accounts(books)
        self.guesses: dict[str, Guess] = {}
        self._nodes = nodes
        self._planner = planner
        self._books = books
        self._dispatcher = dispatcher
        dispatcher.followed = policy.budget_usd > ZERO
        sources = Sources(nodes, self.table, checkpoints)
        self._survey = Survey(nodes, self.table, self.guesses, planner, sources)
        self._refutation = Refutation(nodes, self.table, self.guesses, planner)
        self.resemblance = Resemblance(nodes, self.table, self.guesses, self._refutation)
        self.comparisons = Comparisons(
            nodes, self.guesses, self.resemblance, books, self.accounts, dispatcher.allowance
        )
        self._views = Views(nodes, planner, self.table, self.guesses)
        self._held: set[str] = set()
        self._checkpoints = checkpoints
        self._rate_limits = RateLimits()
        self._stopped = False
        self._ids = itertools.count(1)

    def claim(self, planned: Planned) -> SpeculativeCall | None:
        """The speculation that already makes this call, now authoritative; None: run it.

        This very call, or else one that accepted guesses make of it.
        """
        found, accepted = self.table.claimable(planned.call.fingerprint), ()
        if found is None:
            found, accepted = self.resemblance.claimable(planned.node)
        if found is None or self._too_old(found, planned):
            return None
        found.claimed_by, found.approximates = planned.node, accepted
        self._refutation.claimed(found)
        if found.live:
            self._dispatcher.promote(found.id, planned)
        else:
            found.ending = Ending.PROMOTED
        return found

    def absorb(self, ended: Ended) -> SpeculativeCall:
        """Take in the end of a speculation's activity; its outcome is written at the next settle."""
        speculation = self.table[ended.id]
        self._note(ended)
        bill = self.accounts.billed(ended)
        match ended.result:
            case Completed() as completed:
                speculation.done_ms = now_ms()
                speculation.output = completed.output
                if speculation.claimed_by:
                    speculation.ending = Ending.PROMOTED
                elif speculation.cut_reason:
                    speculation.ending = Ending.DISCARDED  # the cut lost the race to completion
            case Cut():
                speculation.ending = Ending.CUT
            case None:
                cancelled = bill.never_ran
                speculation.ending = Ending.CUT if cancelled else Ending.FAILED
                if not cancelled:
                    self._drop_all(self.table.refute(speculation), "its input failed")
        return speculation

    def refute(self, ended: Iterable[str]) -> None:
        """Test every open speculation against the nodes that have just ended."""
        for speculation, reason in self._refutation.against(ended):
            self.drop(speculation, reason)

    def drop(self, speculation: SpeculativeCall, reason: str) -> None:
        """Give up a speculation and all that rests on its result: cut it, or discard it if done."""
        if not speculation.open:
            return
        speculation.cut_reason = reason
        if speculation.live:
            self._dispatcher.cut(speculation.id)
        else:
            speculation.ending = Ending.DISCARDED
        self._drop_all(self.table.refute(speculation), reason)

    def set_policy(self, policy: Policy) -> None:
        """From the next decision on. A budget of 0 gives up everything that nobody has claimed."""
        self.policy = policy
        self._dispatcher.followed = policy.budget_usd > ZERO
        if policy.budget_usd <= ZERO:
            self._drop_all(self.table.open(), "the budget is 0")

    def told(self, payloads: tuple[Any, ...]) -> None:
        """Take in what a call says of itself before it ends, whatever it holds."""
        limited = self._checkpoints.receive(payloads)
        if limited is not None:
            self._rate_limits.hold(limited.provider, limited.rate_limited_seconds)

    def stop(self, reason: str) -> None:
        """Place no more bets, and give up everything that nobody has claimed."""
        self._stopped = True
        self._dispatcher.followed = False
        self._drop_all(self.table.open(), reason)
        self.comparisons.cut()

    def paid(self, ended: Ended) -> None:
        """Enter the bill of an authoritative call."""
        self._note(ended)
        self.accounts.paid(bill_of(ended).bill)

    async def compare(self, ended: Sequence[str]) -> list[str]:
        """Find out whether guesses of these nodes may stand for the answers; nodes newly judged."""
        funds_usd = self.policy.budget_usd - self.accounts.ledger.at_risk_usd
        return await self.comparisons.decide(ended, models=funds_usd > ZERO)

    async def settle(self, ended: Sequence[str]) -> None:
        """Write down what the ends of these nodes, and of speculations, have made certain."""
        undecided = self.comparisons.undecided
        guesses = tested(ended, self._nodes, self.guesses, self.table, self._refutation, undecided)
        await self.accounts.settle(self.table, guesses)

    async def bet(self) -> bool:
        """Have the bets of the moment judged, and launch those that pay.

        True if a bet that was placed is too wide for one record: the rest of it is judged at once.
        """
        if not self._may_bet():
            return False
        unfinished = False
        bets = self._survey.bets(self.policy.max_depth)
        reconsider = any(speculation.live for speculation in self.table.open())
        for some in list(batches(bets)) or ([[]] if reconsider else []):
            batch = {bet.question: bet for bet in some}
            request = self._views.request(
                batch.values(),
                items=self._survey.items,
                policy=self.policy,
                funds_usd=self.policy.budget_usd - self.accounts.ledger.at_risk_usd,
                held=sorted(self._held),
                held_back=self._rate_limits.held_back(),
                previous=self._books.last,
            )
            records = await self._books.decide(request)
            if self.policy is not request.policy or self._stopped:
                return unfinished  # turned or stopped meanwhile: judged again, or not at all
            for record in records:
                await self._follow(record, batch)
                unfinished |= record["verdict"] == Verdict.LAUNCH and bool(record["later"]["calls"])
        return unfinished

    def _may_bet(self) -> bool:
        if self._stopped or self.policy.budget_usd <= ZERO:
            return False
        info = workflow.info()
        return (
            info.get_current_history_length() < EVENTS_BEFORE_SPECULATION_STOPS
            and info.get_current_history_size() < BYTES_BEFORE_SPECULATION_STOPS
            and sum(speculation.live for speculation in self.table) < MOST_LIVE_SPECULATIONS
        )

    async def _follow(self, record: Record, bets: Mapping[str, PossibleBet]) -> None:
        """Do what a record says, and nothing that it does not say."""
        question = record["question"]
        match Verdict(record["verdict"]):
            case Verdict.LAUNCH:
                self._held.discard(question)
                for stake in calls_of(record):
                    await self._launch(bets[question].calls[stake["node"]], record, stake)
            case Verdict.CUT:
                for stake in calls_of(record):
                    speculation = self.table.of(stake["node"], stake["fingerprint"])
                    if speculation is not None:
                        self.drop(speculation, record["reason"])
            case _:
                self._held.add(question)

    async def _launch(self, possible: Possible, record: Record, stake: Record) -> None:
        planned, worst_usd = possible.planned, number(stake["worst_usd"])
        if planned is None:
            return
        id = f"ahead:{possible.node}:{next(self._ids)}"
        summary = launch(possible.node, record)
        # What is recorded is launched, if need be in the next workflow task: news that arrives
        # meanwhile refutes it like any other.
        while not self._dispatcher.start(id, planned, Lane.SPECULATIVE, summary):
            await workflow.sleep(NEXT_TASK)
            if self._stopped:
                return
        self.table.add(
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
        self.accounts.ledger = self.accounts.ledger.reserve(id, worst_usd)

    def _note(self, ended: Ended) -> None:
        """What the end of any call tells beside its result."""
        self._rate_limits.note(ended.planned.call.operation, ended)
        self._books.observe(self._planner.work(ended.planned.node), ended)

    def _too_old(self, speculation: SpeculativeCall, planned: Planned) -> bool:
        """A read may have changed since: an old answer is not promoted."""
        limit = self._planner.max_age_ms(planned.node)
        if limit is None or speculation.done_ms is None:
            return False
        return now_ms() - speculation.done_ms > limit

    def _drop_all(self, speculations: Iterable[SpeculativeCall], reason: str) -> None:
        for speculation in speculations:
            self.drop(speculation, reason)
