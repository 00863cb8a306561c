"""The run's books: the local activities that decide and settle, and the chain of their records.

All local activities of a run go through here, one at a time: concurrent ones have been a replay
hazard in the SDK, and each record must know the hash of the one before it. They run in the engine's
own task, which a workflow cancel does not reach: what was spent is written down in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from forerun.workflows.options import LOCAL_RETRY, LOCAL_TIMEOUT

with workflow.unsafe.imports_passed_through():
    from forerun.activities.decision_request import (
        DecideRequest,
        LearnRequest,
        OpenRequest,
        Records,
        SettleRequest,
        observation,
    )
    from forerun.activities.decisions import Decisions
    from forerun.activities.wording import Pair, Wording, WordingRequest
    from forerun.speculation.estimates import Work
    from forerun.speculation.experience import Observation
    from forerun.speculation.record import (
        GENESIS,
        Bought,
        GuessCompared,
        GuessTested,
        Outcome,
        Record,
    )
    from forerun.workflows.dispatch import Ended
    from forerun.workflows.sentences import comparison, decision_question, settlement


class Books:
    """The records of one run, in order, as they stand in its history."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._observed: list[Observation] = []
        self._lock = asyncio.Lock()

    @property
    def last(self) -> str:
        """The hash of the last record; it goes into the run's result."""
        return self.records[-1]["sha256"] if self.records else GENESIS

    async def open(self, request: OpenRequest) -> Record:
        """Write the first record and return it."""
        return (await self._write(Decisions.open_run, request, "what this run was started with"))[0]

    async def learn(self, request: LearnRequest) -> Record:
        """Have the cards of further operations written down."""
        named = f"what {', '.join(request.operations)} can do"
        return (await self._write(Decisions.learn, request, named))[0]

    async def decide(self, request: DecideRequest) -> list[Record]:
        """Have a batch of bets judged; a worker that cannot decide holds them all."""
        request = replace(request, observed=self._news())
        try:
            return await self._write(Decisions.decide, request, decision_question(request.bets))
        except ActivityError as error:
            workflow.logger.warning("decision.failed", extra={"why": str(error.cause or error)})
            return []

    async def compare(self, pairs: Sequence[Pair]) -> list[Record]:
        """Have guesses compared with their answers; a worker that cannot tell finds no verdict."""
        at, pairs = workflow.now(), tuple(pairs)
        request = WordingRequest(at=at, pairs=pairs, previous=self.last)
        try:
            return await self._write(Wording.compare_wording, request, comparison(pairs))
        except ActivityError as error:
            workflow.logger.warning("comparison.failed", extra={"why": str(error.cause or error)})
            return []

    async def settle(
        self, certain: Sequence[Outcome | Bought | GuessTested | GuessCompared]
    ) -> list[Record]:
        """Write down what has become certain."""
        request = SettleRequest(
            outcomes=tuple(one for one in certain if isinstance(one, Outcome)),
            purchases=tuple(one for one in certain if isinstance(one, Bought)),
            guesses=tuple(one for one in certain if isinstance(one, GuessTested)),
            compared=tuple(one for one in certain if isinstance(one, GuessCompared)),
            previous=self.last,
            observed=self._news(),
        )
        return await self._write(Decisions.settle, request, settlement(request))

    def observe(self, work: Work | None, ended: Ended) -> None:
        """Keep what an ended call teaches this worker, until it is next asked something."""
        if work is not None:
            seen = observation(work, ended.planned.input_bytes, ended.result)
            self._observed += [seen] if seen else []

    def _news(self) -> tuple[Observation, ...]:
        news, self._observed = tuple(self._observed), []
        return news

    async def _write(self, activity: Any, request: Any, summary: str) -> list[Record]:
        async with self._lock:
            written: Records = await workflow.execute_local_activity_method(
                activity,
                request,
                start_to_close_timeout=LOCAL_TIMEOUT,
                retry_policy=LOCAL_RETRY,
                summary=summary,
            )
            self.records += written.records
            return written.records
