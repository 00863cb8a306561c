"""The speculation runtime of one run: place bets, claim them, refute them, settle them.

It is driven from one coroutine, in this order: what has ended is absorbed; needs claim what was
started ahead; what has been refuted is cut; what is certain is written down; new bets are placed.
Claims come before refutations, so that a call which turns out right by another way is never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Completed, Cut
    from forerun.activities.intent import Intent, StageRequest
    from forerun.speculation.guess import Guess
    from forerun.speculation.policy import Policy
    from forerun.speculation.quantities import ZERO
    from forerun.speculation.table import CallTable, Ending, SpeculativeCall
    from forerun.workflows.accounts import Accounts
    from forerun.workflows.betting import Betting
    from forerun.workflows.bills import bill_of
    from forerun.workflows.books import Books
    from forerun.workflows.checkpoints import Checkpoints
    from forerun.workflows.comparisons import Comparisons
    from forerun.workflows.dispatch import Dispatcher, Ended, Planned
    from forerun.workflows.evidence import Evidence
    from forerun.workflows.guesses import Sources
    from forerun.workflows.planning import Planner, stage_of
    from forerun.workflows.purchases import Purchases
    from forerun.workflows.rate_limits import RateLimits
    from forerun.workflows.refutation import Refutation
    from forerun.workflows.resemblance import Resemblance
    from forerun.workflows.run_state import Nodes, now_ms
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
        self.table = CallTable()
        self.accounts = Accounts(books)
        self.guesses: dict[str, Guess] = {}
        self._tested: set[str] = set()
        self._nodes = nodes
        self._planner = planner
        self._books = books
        self._dispatcher = dispatcher
        self._checkpoints = checkpoints
        self._rate_limits = RateLimits()
        self._purchases = Purchases(nodes, planner, dispatcher)
        self._refutation = Refutation(nodes, self.table, self.guesses, planner)
        self.resemblance = Resemblance(nodes, self.table, self.guesses, self._refutation)
        self.comparisons = Comparisons(
            nodes, self.guesses, self.resemblance, books, self.accounts, dispatcher.allowance
        )
        evidence = Evidence(nodes, self.table, self.guesses)
        sources = Sources(nodes, self.table, checkpoints, self._purchases, evidence)
        self._betting = Betting(
            policy,
            Survey(nodes, self.table, self.guesses, planner, sources, self._purchases),
            Views(nodes, planner, self.table, self.guesses, evidence),
            books,
            self.table,
            self.accounts,
            self._purchases,
            dispatcher,
            self.drop,
        )
        dispatcher.followed = policy.budget_usd > ZERO

    @property
    def policy(self) -> Policy:
        """The operator's dials, as they are now."""
        return self._betting.policy

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
        if found.live:
            self._dispatcher.promote(found.id, planned)
        else:
            found.ending = Ending.PROMOTED
        return found

    def claim_stage(self, intent: Intent) -> None:
        """The stage of this very intent, if there is one, is what will be committed.

        Nobody waits for it: its commit can do without it, so it needs no promotion. What becomes of
        it is for people to say: see `end_stage`.
        """
        found = self.table.of(intent.intent, stage_of(intent).fingerprint)
        if found is not None and found.open:
            found.claimed_by = intent.intent

    def end_stage(self, intent: str, state: str) -> None:
        """The intent has ended: its stage is part of what was committed, or of no use any more."""
        for speculation in self.table:
            if speculation.claimed_by != intent or speculation.ending is not None:
                continue
            if state == "committed" and not speculation.live:
                speculation.ending = Ending.PROMOTED
            else:
                speculation.claimed_by = None
                self.drop(speculation, f"{intent} was {state}" + " first" * speculation.live)

    def absorb(self, ended: Ended) -> SpeculativeCall | None:
        """Take in the end of a speculation; its outcome is written at the next settle.

        None where it was no speculation, but a guess being bought.
        """
        self._note(ended)
        if self._purchases.absorb(ended):
            return None
        speculation = self.table[ended.id]
        bill = self.accounts.billed(ended)
        match ended.result:
            case Completed() as completed:
                speculation.done_ms = now_ms()
                speculation.own_ms = round(completed.seconds * 1000)
                speculation.output = completed.output
                if speculation.claimed_by and not isinstance(ended.planned.request, StageRequest):
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
        self._purchases.over(ended)

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
        self._betting.policy = policy
        self._dispatcher.followed = policy.budget_usd > ZERO
        if policy.budget_usd <= ZERO:
            self._give_up("the budget is 0")

    def told(self, payloads: tuple[Any, ...]) -> None:
        """Take in what a call says of itself before it ends, whatever it holds."""
        limited = self._checkpoints.receive(payloads)
        if limited is not None:
            self._rate_limits.hold(limited.provider, limited.rate_limited_seconds)

    def stop(self, reason: str) -> None:
        """Place no more bets, and give up everything that nobody has claimed."""
        self._betting.stopped = True
        self._dispatcher.followed = False
        self._give_up(reason)
        self.comparisons.cut()

    def paid(self, ended: Ended) -> None:
        """Enter the bill of an authoritative call."""
        self._note(ended)
        self.accounts.paid(bill_of(ended).bill)

    async def compare(self, ended: Sequence[str]) -> list[str]:
        """Find out whether guesses of these nodes may stand for the answers; nodes newly judged."""
        funds_usd = self.policy.budget_usd - self.accounts.ledger.at_risk_usd
        return await self.comparisons.decide(ended, models=funds_usd > ZERO)

    async def settle(self) -> None:
        """Write down what the ends of nodes, and of speculations, have made certain."""
        undecided = self.comparisons.undecided
        due = [
            guess
            for id, guess in self.guesses.items()
            if id not in self._tested and self._nodes[guess.node].state.ended
        ]
        for tests in tested(due, self._nodes, self.table, self._refutation, undecided):
            self._tested |= {test.guess for test in tests}
            await self.accounts.settle(self.table, self._purchases.take(), tests)

    async def bet(self) -> bool:
        """Have the bets of the moment judged, and launch those that pay.

        True if a bet that was placed is too wide for one record: the rest of it is judged at once.
        """
        return await self._betting.place(self._rate_limits.held_back())

    def _note(self, ended: Ended) -> None:
        """What the end of any call tells beside its result."""
        operation, work = ended.planned.call.operation, self._planner.work(ended.planned.node)
        self._rate_limits.note(operation, ended)
        self._books.observe(replace(work, operation=operation) if work else None, ended)

    def _too_old(self, speculation: SpeculativeCall, planned: Planned) -> bool:
        """A read may have changed since: an old answer is not promoted."""
        limit = self._planner.max_age_ms(planned.node)
        if limit is None or speculation.done_ms is None:
            return False
        return now_ms() - speculation.done_ms > limit

    def _give_up(self, reason: str) -> None:
        self._drop_all(self.table.open(), reason)
        self._purchases.stop(reason)

    def _drop_all(self, speculations: Iterable[SpeculativeCall], reason: str) -> None:
        for speculation in speculations:
            self.drop(speculation, reason)
