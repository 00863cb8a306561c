"""What becomes of nodes: started, claimed, skipped, stopped, and ended by what they were waiting for.

Nothing here waits. A round of the engine takes in what has ended, then advances every node that this
sets free; a claim comes before the refutations of the same round.
"""

from __future__ import annotations

from temporalio import workflow

from forerun.workflows.options import Lane

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Completed
    from forerun.activities.intent import Intent
    from forerun.speculation.table import Ending
    from forerun.workflows.barrier import Barrier, EffectEnd
    from forerun.workflows.dispatch import Dispatcher, Ended
    from forerun.workflows.failures import message_of
    from forerun.workflows.node import Node
    from forerun.workflows.planning import Planner
    from forerun.workflows.run_state import NodeRun, Nodes, NodeState, now_ms
    from forerun.workflows.runtime import Runtime
    from forerun.workflows.templates import RenderError

ABSENT = (NodeState.SKIPPED, NodeState.DECLINED)
BROKEN = (NodeState.FAILED, NodeState.STOPPED)


class Progress:
    """Moves the nodes of one run on. `ended` are those that ended since somebody last took them.

    `crowded` says that a call found no room in this workflow task.
    """

    def __init__(
        self,
        nodes: Nodes,
        planner: Planner,
        runtime: Runtime,
        dispatcher: Dispatcher,
        barrier: Barrier,
    ) -> None:
        self.ended: list[str] = []
        self.crowded = False
        self.cancelled = False
        self._nodes = nodes
        self._graph = nodes.graph
        self._planner = planner
        self._runtime = runtime
        self._dispatcher = dispatcher
        self._barrier = barrier

    def absorb(self) -> None:
        """Take in the calls and effects that have ended."""
        for ended in self._dispatcher.take():
            if ended.id in self._graph.nodes:
                self._absorb_call(ended)
            else:
                self._absorb_speculation(ended)
        for end in self._barrier.take():
            self._absorb_effect(end)

    def _absorb_call(self, ended: Ended) -> None:
        self._runtime.paid(ended)
        run = self._nodes[ended.id]
        match ended.result:
            case Completed(output=output):
                self._end(run, NodeState.DONE, output=output)
            case _ if ended.failure and not self.cancelled:
                self._end(run, NodeState.FAILED, error=message_of(ended.failure))
            case _:
                self._end(run, NodeState.FAILED, error="the run was cancelled")

    def _absorb_speculation(self, ended: Ended) -> None:
        speculation = self._runtime.absorb(ended)
        if speculation is None or speculation.claimed_by is None:
            return
        run = self._nodes[speculation.claimed_by]
        if self._graph.nodes[run.name].effect:
            return  # a stage: its commit can do without it
        if speculation.ending is Ending.PROMOTED:
            self._end(run, NodeState.DONE, output=speculation.output)
            run.busy_ms = speculation.own_ms
        else:
            # The need stands: it runs as an ordinary call, as if nothing had been bet on it.
            run.state, run.started_ms = NodeState.WAITING, None

    def _absorb_effect(self, end: EffectEnd) -> None:
        run = self._nodes[end.intent]
        run.person_ms = end.person_ms
        self._runtime.accounts.paid(end.bill)
        self._runtime.end_stage(end.intent, end.state)
        match end.state:
            case "committed":
                self._end(run, NodeState.DONE, output=end.as_result()["receipt"])
            case "failed":
                self._end(run, NodeState.FAILED, error=end.error)
            case "rejected" | "expired":
                self._end(run, NodeState.DECLINED)

    def advance(self) -> None:
        """Start, claim, skip or stop every node whose upstream has ended; one pass reaches all."""
        for run in self._nodes:
            if run.state is NodeState.WAITING:
                self._advance_node(run)
            elif run.state is NodeState.RUNNING and self._graph.nodes[run.name].gathers:
                self._gather(run)

    def _advance_node(self, run: NodeRun) -> None:
        node = self._graph.nodes[run.name]
        upstream = [self._nodes[up] for up in node.upstream]
        if any(up.state in BROKEN for up in upstream) or self.cancelled:
            self._end(run, NodeState.STOPPED)
        elif not all(up.state.ended for up in upstream):
            return
        elif any(up.state in ABSENT and not node.tolerates(up.name) for up in upstream):
            self._end(run, NodeState.SKIPPED)
        elif self._planner.knows(run.name):
            self._make(run, node)

    def _make(self, run: NodeRun, node: Node) -> None:
        values = self._nodes.values(run.name)
        try:
            if not node.runs(values):
                self._end(run, NodeState.SKIPPED)
            elif node.gathers:
                self._expand(run, len(node.items(values)))
            elif node.effect:
                behind = self._runtime.resemblance.approximations(behind=run.name)
                self._ask(run, self._planner.intent(run.name, values, behind))
            elif self._nodes.may_start(node):
                self._need(run, values)
        except RenderError as error:
            self._end(run, NodeState.FAILED, error=str(error))

    def _expand(self, run: NodeRun, count: int) -> None:
        """The list is known: from here on its items are nodes like any other."""
        run.state = NodeState.RUNNING
        for item in self._nodes.expand(run.name, count):
            self._advance_node(item)
        self._gather(run)

    def _gather(self, run: NodeRun) -> None:
        """The outputs of its items in their order, once all have ended; skipped ones are left out."""
        items = [self._nodes[name] for name in self._graph.items(run.name)]
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
        self._runtime.claim_stage(intent)
        self._barrier.open(intent, self._planner.approval_timeout(run.name))

    def _need(self, run: NodeRun, values: dict[str, object]) -> None:
        """Authoritative need: what already makes this very call is claimed; else it is started."""
        planned = self._planner.plan(run.name, values)
        claimed = self._runtime.claim(planned)
        if claimed is not None:
            run.state, run.started_ms = NodeState.RUNNING, claimed.launched_ms
            if claimed.done_ms is not None:
                self._end(run, NodeState.DONE, output=claimed.output)
                run.busy_ms = claimed.own_ms
        elif self._runtime.resemblance.undecided(run.name):
            return  # what it waits for may still turn out to be its call
        elif self._dispatcher.start(
            run.name, planned, Lane.AUTHORITATIVE, self._planner.title(run.name)
        ):
            run.state, run.started_ms = NodeState.RUNNING, now_ms()
        else:
            self.crowded = True

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
        self.ended.append(run.name)
