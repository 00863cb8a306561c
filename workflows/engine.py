"""One run of a DAG: the loop that everything hangs on.

A single coroutine decides, in a fixed order, whenever something has ended or changed. So there is
one interleaving to think about: between two awaits of this loop nothing else changes a node. What is
declared meanwhile waits for the next round.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError

from forerun.workflows.options import NEXT_TASK, Lane

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Completed
    from forerun.activities.intent import Intent
    from forerun.speculation.policy import Policy
    from forerun.speculation.table import Ending
    from forerun.workflows.barrier import Barrier, EffectEnd
    from forerun.workflows.books import Books
    from forerun.workflows.checkpoints import Checkpoints
    from forerun.workflows.discards import Discards
    from forerun.workflows.dispatch import Dispatcher, Ended
    from forerun.workflows.failures import message_of
    from forerun.workflows.graph import Graph
    from forerun.workflows.node import Node
    from forerun.workflows.planning import Planner
    from forerun.workflows.run_state import NodeRun, Nodes, NodeState, now_ms
    from forerun.workflows.runtime import Runtime
    from forerun.workflows.spec_errors import SpecError
    from forerun.workflows.templates import RenderError

ABSENT = (NodeState.SKIPPED, NodeState.DECLINED)
BROKEN = (NodeState.FAILED, NodeState.STOPPED)


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
        told = Checkpoints()
        self._dispatcher = Dispatcher(barrier.allowance, told)
        self.runtime = Runtime(nodes, planner, books, self._dispatcher, told, policy)
        self._parts = (self._dispatcher, barrier, self.runtime.comparisons)
        self._graph: Graph = nodes.graph
        self._planner = planner
        self._discards = Discards(nodes.graph, self.runtime.table, barrier)
        self._introduce = introduce
        self._on_progress = on_progress
        self._ended: list[str] = []
        self._closing = False
        self._nudged = False
        self._crowded = False
        self._cancelled = False

    async def run(self) -> None:
        """Until it is closed, all nodes have ended, and every speculation is joined and settled."""
        try:
            while not self._over():
                await self._wait()
                await self._introduce()
                self._absorb()
                self._advance()
                await self._compare()
                await self._keep_books()
                self._on_progress()
        except (ActivityError, SpecError):
            # The books cannot be kept, or a node cannot be run: nothing is left behind.
            self.cancel()
            await workflow.wait_condition(self._joined)
            self._absorb()
            await self._discards.close()
            raise
        await self._discards.close()

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
        self._cancelled = True
        self.runtime.stop("the run was cancelled")
        self._dispatcher.cut_all()
        self.barrier.abandon()
        self.close()

    def _over(self) -> bool:
        quiet = self._joined() and not self._unread()
        return self._closing and quiet and not self._ended and self.nodes.all_ended

    def _joined(self) -> bool:
        """Nothing is under way outside of this workflow."""
        return all(part.joined for part in self._parts)

    def _unread(self) -> bool:
        """Something has ended that was not looked at yet."""
        return any(part.has_ended for part in self._parts)

    async def _wait(self) -> None:
        """For something to happen."""
        if self._crowded:
            await workflow.sleep(NEXT_TASK)
        elif not self._has_news():
            await workflow.wait_condition(self._has_news)
        self._nudged = self._crowded = False

    def _has_news(self) -> bool:
        return self._nudged or self._unread()

    def _absorb(self) -> None:
        for ended in self._dispatcher.take():
            if ended.id in self._graph.nodes:
                self._absorb_call(ended)
            else:
                self._absorb_speculation(ended)
        for end in self.barrier.take():
            self._absorb_effect(end)

    def _absorb_call(self, ended: Ended) -> None:
        self.runtime.paid(ended)
        run = self.nodes[ended.id]
        match ended.result:
            case Completed(output=output):
                self._end(run, NodeState.DONE, output=output)
            case _ if ended.failure and not self._cancelled:
                self._end(run, NodeState.FAILED, error=message_of(ended.failure))
            case _:
                self._end(run, NodeState.FAILED, error="the run was cancelled")

    def _absorb_speculation(self, ended: Ended) -> None:
        speculation = self.runtime.absorb(ended)
        if speculation is None or speculation.claimed_by is None:
            return
        run = self.nodes[speculation.claimed_by]
        if self._graph.nodes[run.name].effect:
            return  # a stage: its commit can do without it
        if speculation.ending is Ending.PROMOTED:
            self._end(run, NodeState.DONE, output=speculation.output)
        else:
            # The need stands: it runs as an ordinary call, as if nothing had been bet on it.
            run.state, run.started_ms = NodeState.WAITING, None

    def _absorb_effect(self, end: EffectEnd) -> None:
        run = self.nodes[end.intent]
        run.person_ms = end.person_ms
        self.runtime.accounts.paid(end.bill)
        self.runtime.give_up_stage(end.intent, f"{end.intent} was {end.state} first")
        match end.state:
            case "committed":
                self._end(run, NodeState.DONE, output=end.as_result()["receipt"])
            case "failed":
                self._end(run, NodeState.FAILED, error=end.error)
            case "rejected" | "expired":
                self._end(run, NodeState.DECLINED)

    def _advance(self) -> None:
        """Start, claim, skip or stop every node whose upstream has ended; one pass reaches all."""
        for run in self.nodes:
            if run.state is NodeState.WAITING:
                self._advance_node(run)
            elif run.state is NodeState.RUNNING and self._graph.nodes[run.name].gathers:
                self._gather(run)

    def _advance_node(self, run: NodeRun) -> None:
        node = self._graph.nodes[run.name]
        upstream = [self.nodes[up] for up in node.upstream]
        if any(up.state in BROKEN for up in upstream) or self._cancelled:
            self._end(run, NodeState.STOPPED)
        elif not all(up.state.ended for up in upstream):
            return
        elif any(up.state in ABSENT and not node.tolerates(up.name) for up in upstream):
            self._end(run, NodeState.SKIPPED)
        else:
            self._make(run, node)

    def _make(self, run: NodeRun, node: Node) -> None:
        values = self.nodes.values(run.name)
        try:
            if not node.runs(values):
                self._end(run, NodeState.SKIPPED)
            elif node.gathers:
                self._expand(run, len(node.items(values)))
            elif node.effect:
                behind = self.runtime.resemblance.approximations(behind=run.name)
                self._ask(run, self._planner.intent(run.name, values, behind))
            elif self.nodes.may_start(node):
                self._need(run, values)
        except RenderError as error:
            self._end(run, NodeState.FAILED, error=str(error))

    def _expand(self, run: NodeRun, count: int) -> None:
        """The list is known: from here on its items are nodes like any other."""
        run.state = NodeState.RUNNING
        for item in self.nodes.expand(run.name, count):
            self._advance_node(item)
        self._gather(run)

    def _gather(self, run: NodeRun) -> None:
        """The outputs of its items in their order, once all have ended; skipped ones are left out."""
        items = [self.nodes[name] for name in self._graph.items(run.name)]
        if not all(item.state.ended for item in items):
            return
        broken = next((item for item in items if item.state in BROKEN), None)
        if broken is not None:
            self._end(run, broken.state, error=f"{broken.name}: {broken.error}")
        elif any(item.state is NodeState.DECLINED for item in items):
            self._end(run, NodeState.DECLINED)
        else:
            done = [item.output for item in items if item.state is NodeState.DONE]
            self._end(run, NodeState.DONE, output=done)

    def _ask(self, run: NodeRun, intent: Intent) -> None:
        run.state, run.started_ms = NodeState.AWAITING, now_ms()
        self.runtime.claim_stage(intent)
        self.barrier.open(intent, self._planner.approval_timeout(run.name))

    def _need(self, run: NodeRun, values: dict[str, object]) -> None:
        """Authoritative need: what already makes this very call is claimed; else it is started."""
        planned = self._planner.plan(run.name, values)
        claimed = self.runtime.claim(planned)
        if claimed is not None:
            run.state, run.started_ms = NodeState.RUNNING, claimed.launched_ms
            if claimed.done_ms is not None:
                self._end(run, NodeState.DONE, output=claimed.output)
                run.busy_ms = claimed.done_ms - claimed.launched_ms
        elif self.runtime.resemblance.undecided(run.name):
            return  # what it waits for may still turn out to be its call
        elif self._dispatcher.start(
            run.name, planned, Lane.AUTHORITATIVE, self._planner.title(run.name)
        ):
            run.state, run.started_ms = NodeState.RUNNING, now_ms()
        else:
            self._crowded = True

    def _end(
        self,
        run: NodeRun,
        state: NodeState,
        *,
        output: object = None,
        error: str | None = None,
    ) -> None:
        run.state, run.output, run.error, run.ended_ms = state, output, error, now_ms()
        if run.started_ms is not None:
            run.busy_ms = run.ended_ms - run.started_ms - run.person_ms
        self._ended.append(run.name)

    async def _compare(self) -> None:
        """Advance on every verdict: claims come before refutations."""
        while judged := await self.runtime.compare(self._ended):
            self._ended += judged
            self._advance()

    async def _keep_books(self) -> None:
        """Refute, settle, bet. Signals and ends that arrive meanwhile wait for the next round."""
        ended, self._ended = self._ended, []
        self.runtime.refute(ended)
        self._discards.send()
        await self.runtime.settle(ended)
        if not self.nodes.all_ended:
            self._crowded |= await self.runtime.bet()
