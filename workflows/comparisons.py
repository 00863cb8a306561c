"""Comparisons: whether a guess that came out otherwise may stand for the answer all the same.

Only where the author of a node allows it (`equivalence` 2 or 3). Words are compared in a local
activity. Where they leave it open and a speculation hangs on it, a model is asked, beside the run:
only a call that this speculation may still be right about waits for the verdict, and not for long.
Every verdict is in the record chain before anything is done by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError

from forerun.workflows.options import (
    CANCELLATION,
    COMPARISON_RETRY,
    COMPARISON_TIMEOUT,
    HEARTBEAT_TIMEOUT,
    NEXT_TASK,
    RECORDS_PER_MARKER,
    Lane,
)

with workflow.unsafe.imports_passed_through():
    from forerun.activities.comparison import Compared, CompareRequest
    from forerun.activities.equivalence import EquivalenceChecks
    from forerun.activities.wording import Pair
    from forerun.speculation.equivalence import NORMALISED_TEXT
    from forerun.speculation.guess import Guess
    from forerun.speculation.record import GuessCompared, Record
    from forerun.workflows.accounts import Accounts
    from forerun.workflows.allowance import Allowance
    from forerun.workflows.bills import bill_of_failed
    from forerun.workflows.books import Books
    from forerun.workflows.errands import errand
    from forerun.workflows.failures import message_of
    from forerun.workflows.resemblance import Resemblance
    from forerun.workflows.run_state import Nodes, NodeState

NOBODY = "nobody"
"""Who decided where no model came to an answer: the guess is different then."""


class Comparisons:
    """The comparisons of one run. What they find is what `resemblance` goes by."""

    def __init__(
        self,
        nodes: Nodes,
        guesses: dict[str, Guess],
        resemblance: Resemblance,
        books: Books,
        accounts: Accounts,
        allowance: Allowance,
    ) -> None:
        self._nodes = nodes
        self._guesses = guesses
        self._resemblance = resemblance
        self._books = books
        self._accounts = accounts
        self._allowance = allowance
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._answers: list[GuessCompared] = []

    @property
    def joined(self) -> bool:
        """No model is being asked."""
        return not self._running

    @property
    def has_ended(self) -> bool:
        """Some model has answered since `decide` was last called."""
        return bool(self._answers)

    @property
    def undecided(self) -> Collection[str]:
        """The guesses that wait for the verdict of a model."""
        return self._asking.keys()

    async def decide(self, ended: Iterable[str], *, models: bool) -> list[str]:
        """Take in what models have answered, and compare the guesses of nodes that have ended.

        The nodes of whose guesses a verdict is new. `models`: whether there are funds to ask one.
        """
        answers, self._answers = self._answers, []
        fresh = list(self._fresh(ended))
        if not (answers or fresh or self._asking):
            return []
        wanted = self._resemblance.undecided()
        self._cut(but=wanted)
        found = await self._accounts.compared(answers) if answers else []
        found += await self._by_wording(fresh, wanted if models else ())
        verdicts: dict[str, Record | None] = {record["guess"]: record for record in found}
        for guess in fresh:
            if guess.id not in self._asking:
                verdicts.setdefault(guess.id, None)
        self._resemblance.verdicts.update(verdicts)
        for decided in verdicts:
            self._asking.pop(decided, None)
        return [self._guesses[decided].node for decided in verdicts]

    def cut(self) -> None:
        """Ask for the end of all comparisons: no verdict is needed any more."""
        self._cut(but=())

    def _fresh(self, ended: Iterable[str]) -> Iterator[Guess]:
        """The guesses of these nodes that differ from the answer and may be compared with it."""
        answers = {
            name: self._nodes[name].digest
            for name in ended
            if self._nodes.graph.nodes[name].approximable
            and self._nodes[name].state is NodeState.DONE
        }
        for guess in self._guesses.values() if answers else ():
            compared = guess.id in self._resemblance.verdicts or guess.id in self._asking
            if guess.node in answers and guess.digest != answers[guess.node] and not compared:
                yield guess

    async def _by_wording(self, fresh: Sequence[Guess], askable: Collection[str]) -> list[Record]:
        """Have words compared; what they leave open and is `askable` goes to a model."""
        records: list[Record] = []
        for start in range(0, len(fresh), RECORDS_PER_MARKER):
            pairs = [
                self._pair(guess, ask=guess.id in askable)
                for guess in fresh[start : start + RECORDS_PER_MARKER]
            ]
            found = await self._books.compare(pairs)
            records += found
            decided = {record["guess"] for record in found}
            for pair in pairs:
                if pair.guess not in decided and pair.highest > NORMALISED_TEXT:
                    self._asking[pair.guess] = asking = errand(self._ask(pair))
                    self._running.add(asking)
                    asking.add_done_callback(partial(self._over, pair))
        return records

    def _pair(self, guess: Guess, *, ask: bool) -> Pair:
        run = self._nodes[guess.node]
        allowed = self._nodes.graph.nodes[guess.node].spec.equivalence
        return Pair(
            guess=guess.id,
            node=guess.node,
            label=guess.label,
            predicted=guess.value,
            predicted_sha256=guess.digest,
            actual=run.output,
            actual_sha256=run.digest or "",
            highest=allowed if ask else NORMALISED_TEXT,
        )

    async def _ask(self, pair: Pair) -> None:
        request = CompareRequest(predicted=pair.predicted, actual=pair.actual)
        try:
            while not self._allowance.take(len((pair.predicted + pair.actual).encode())):
                await workflow.sleep(NEXT_TASK)
            answer = await workflow.execute_activity_method(
                EquivalenceChecks.compare,
                request,
                activity_id=f"compare:{pair.guess}",
                task_queue=Lane.AUTHORITATIVE.value.task_queue,
                priority=Lane.AUTHORITATIVE.value.priority,
                schedule_to_close_timeout=COMPARISON_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=COMPARISON_RETRY,
                cancellation_type=CANCELLATION,
                summary=f"the same as the answer? {pair.label}",
            )
        except ActivityError as failure:
            bill = bill_of_failed(failure).bill
            answer = Compared(tier=None, by=NOBODY, reason=message_of(failure), bill=bill)
        self._answers.append(_verdict(pair, answer))

    def _over(self, pair: Pair, asking: asyncio.Task[None]) -> None:
        """Cut before its command had left (see `Dispatcher`), or before it had begun at all."""
        self._running.discard(asking)
        if asking.cancelled():
            answer = Compared(tier=None, by=NOBODY, reason="cut")
            self._answers.append(_verdict(pair, answer))

    def _cut(self, but: Collection[str]) -> None:
        for guess, asking in self._asking.items():
            if guess not in but and not asking.cancelling():
                asking.cancel()


def _verdict(pair: Pair, answer: Compared) -> GuessCompared:
    cost = answer.bill.cost
    return GuessCompared(
        at=workflow.now().isoformat(),
        guess=pair.guess,
        node=pair.node,
        label=pair.label,
        value_sha256=pair.predicted_sha256,
        actual_sha256=pair.actual_sha256,
        tier=answer.tier,
        by=answer.by,
        reason=answer.reason,
        score=answer.score,
        usage=answer.bill.usage,
        low_usd=cost.low_usd,
        best_usd=cost.best_usd,
        high_usd=cost.high_usd,
        basis=cost.basis,
    )
