"""One run of a DAG: the loop that everything hangs on.

A single coroutine decides, in a fixed order, whenever something has ended or changed. So there is
one interleaving to think about: between two awaits of this loop nothing else changes a node. What is
declared meanwhile waits for the next round.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from forerun.workflows.options import NEXT_TASK

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.policy import Policy
    from forerun.workflows.barrier import Barrier
    from forerun.workflows.books import Books
    from forerun.workflows.checkpoints import Checkpoints
    from forerun.workflows.discards import Discards
    from forerun.workflows.dispatch import Dispatcher
    from forerun.workflows.planning import Planner
    from forerun.workflows.progress import Progress
    from forerun.workflows.run_state import Nodes
    from forerun.workflows.runtime import Runtime
    from forerun.workflows.spec_errors import SpecError


class Engine:
    """Runs the nodes of a graph to their ends.

    `introduce` makes the operations of new nodes known before a round, `on_progress` is called after.
    """

    def __init__(
        self,
        nodes: Nodes,
        planner: Planner,
        books: Books,
        policy: Policy,
        barrier: Barrier,
        introduce: Callable[[], Awaitable[None]],
        on_progress: Callable[[], None],
    ) -> None:
        self.nodes = nodes
        self.barrier = barrier
        self._told = Checkpoints()
        self._dispatcher = Dispatcher(barrier.allowance, self._told)
        self.runtime = Runtime(nodes, planner, books, self._dispatcher, self._told, policy)
        self._progress = Progress(nodes, planner, self.runtime, self._dispatcher, barrier)
        self._parts = (self._dispatcher, barrier, self.runtime.comparisons)
        self._discards = Discards(nodes.graph, self.runtime.table, barrier)
        self._introduce = introduce
        self._on_progress = on_progress
        self._closing = False
        self._nudged = False

    async def run(self) -> None:
        """Until it is closed, all nodes have ended, and every speculation is joined and settled."""
        try:
            while not self._over():
                await self._wait()
                await self._introduce()
                self._progress.absorb()
                self._progress.advance()
                await self._compare()
                await self._keep_books()
                self._on_progress()
        except (ActivityError, SpecError) as error:
            # The books cannot be kept, or a node cannot be run: nothing is left behind, and what
            # was spent is written down where it can be.
            self.cancel()
            await workflow.wait_condition(self._joined)
            self._progress.absorb()
            if isinstance(error, SpecError):
                with suppress(ActivityError):  # then the books cannot be kept either
                    await self.runtime.compare(())
                    await self.runtime.settle()
            await self._discards.close()
            raise
        await self._discards.close()

    @property
    def ignored(self) -> int:
        """Checkpoints that were malformed, or came from no call of this run."""
        return self._told.ignored

    def told(self, payloads: tuple[Any, ...]) -> None:
        """Take in a checkpoint, whatever it holds. What is ignored is no reason to decide anything.

        Or whoever signals junk would have a record written for each.
        """
        ignored = self.ignored
        self.runtime.told(payloads)
        self._nudged |= self.ignored == ignored

    def nudge(self) -> None:
        """Something changed from outside: nodes were added, say."""
        self._nudged = True

    def close(self) -> None:
        """No more nodes will come: run to the end."""
        self._closing = self._nudged = True

    def set_policy(self, policy: Policy) -> None:
        """From the next decision on. A budget of 0 is the stop switch: it cuts at once."""
        self.runtime.set_policy(policy)
        self._nudged = True

    def cancel(self) -> None:
        """Wind down: cut everything, ask nobody any more, and still settle what was spent."""
        self._progress.cancelled = True
        self.runtime.stop("the run was cancelled")
        self._dispatcher.cut_all()
        self.barrier.abandon()
        self.close()

    def _over(self) -> bool:
        quiet = self._joined() and not self._unread()
        return self._closing and quiet and not self._progress.ended and self.nodes.all_ended

    def _joined(self) -> bool:
        """Nothing is under way outside of this workflow."""
        return all(part.joined for part in self._parts)

    def _unread(self) -> bool:
        """Something has ended that was not looked at yet."""
        return any(part.has_ended for part in self._parts)

    async def _wait(self) -> None:
        """For something to happen."""
        if self._progress.crowded:
            await workflow.sleep(NEXT_TASK)
        elif not self._has_news():
            await workflow.wait_condition(self._has_news)
        self._nudged = self._progress.crowded = False

    def _has_news(self) -> bool:
        return self._nudged or self._unread()

    async def _compare(self) -> None:
        """Advance on every verdict: claims come before refutations."""
        while judged := await self.runtime.compare(self._progress.ended):
            self._progress.ended += judged
            self._progress.advance()

    async def _keep_books(self) -> None:
        """Refute, settle, bet. Signals and ends that arrive meanwhile wait for the next round."""
        ended, self._progress.ended = self._progress.ended, []
        self.runtime.refute(ended)
        self._discards.send()
        await self.runtime.settle()
        if not self.nodes.all_ended:
            self._progress.crowded |= await self.runtime.bet()
