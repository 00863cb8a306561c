"""One run: its nodes, books, barrier and engine, put together.

Nothing here is decided. What a run was started with is its first record; operations that it comes to
name later are written down before the first call of one.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun import __version__
    from forerun.activities.decision_request import LearnRequest, OpenRequest
    from forerun.activities.metrics import run_closed
    from forerun.activities.operation import OperationCard
    from forerun.speculation.policy import Policy
    from forerun.speculation.record import Record
    from forerun.workflows.barrier import Barrier
    from forerun.workflows.books import Books
    from forerun.workflows.details import details
    from forerun.workflows.engine import Engine
    from forerun.workflows.errands import errand
    from forerun.workflows.functions import FunctionArguments
    from forerun.workflows.graph import Graph
    from forerun.workflows.node import Node
    from forerun.workflows.planning import Planner
    from forerun.workflows.result import ledger_view, result_of
    from forerun.workflows.run_state import Nodes, now_ms
    from forerun.workflows.search_attributes import SearchAttributes
    from forerun.workflows.spec_operations import check_operation
    from forerun.workflows.spec_schemas import Schemas
    from forerun.workflows.timing import Timing, timing

CARDS: TypeAdapter[dict[str, OperationCard]] = TypeAdapter(dict[str, OperationCard])


class Run:
    """The parts of one run. `spec_sha256` is None where steps are declared as it goes."""

    def __init__(self, policy: Policy, workload: str) -> None:
        self.spec_sha256: str | None = None
        self.books = Books()
        self.barrier = Barrier()
        self.nodes = Nodes(Graph())
        self.attributes = SearchAttributes()
        self._cards: dict[str, OperationCard] = {}
        self.planner = Planner(self.nodes.graph, self._cards, workload)
        self.engine = Engine(
            self.nodes,
            self.planner,
            self.books,
            policy,
            self.barrier,
            self._introduce,
            self._publish,
        )
        self._new: list[Node] = []
        self._began_ms = now_ms()

    @property
    def timing(self) -> Timing:
        """How long it took so far, with and without speculation."""
        return timing(self.nodes, self._began_ms)

    def add(self, node: Node, after: tuple[str, ...] = ()) -> None:
        """Add a node, declared now."""
        self.nodes.add(node, now_ms(), after)
        self._new.append(node)
        self.engine.nudge()

    async def perform(self) -> None:
        """Run until it is closed and everything has ended.

        Raises:
            SpecError: a node names an operation that there is not, or gives it other arguments.
            ActivityError: the books could not be kept.
        """
        lookup = errand(self.attributes.look_up(self.planner.workload))
        await self.engine.run()
        await lookup
        ledger, times = self.engine.runtime.accounts.ledger, self.timing
        self.attributes.close(
            spent=ledger.spent_usd, wasted=ledger.wasted_usd, saved_seconds=times.saved_seconds
        )
        run_closed(
            workflow.metric_meter(),
            ledger,
            seconds=times.seconds,
            sequential_seconds=times.sequential_seconds,
        )

    def ledger(self) -> dict[str, Any]:
        """The ledger so far, the state of every node, and what runs ahead."""
        runtime = self.engine.runtime
        return {
            **ledger_view(runtime.accounts.ledger, self.timing),
            "nodes": self.nodes.states(),
            "ahead": [
                {"node": s.node, "assuming": s.label, "running": s.live}
                for s in runtime.table.open()
            ],
        }

    def result(self) -> dict[str, Any]:
        """The result, in the words of the outside contract (design 5)."""
        runtime = self.engine.runtime
        return result_of(
            self.nodes,
            self.barrier,
            runtime.resemblance.approximations(),
            runtime.accounts.ledger,
            self.timing,
            self.books.last,
        )

    async def _introduce(self) -> None:
        """Have this worker say what the operations of new nodes are, and check the nodes by that."""
        new, self._new = self._new, []
        named = {node.spec.operation for node in new if node.spec.kind != "model"}
        missing = tuple(sorted(named.difference(self._cards)))
        known: Record = {"operations": {}, "known_operations": ()}
        if not self.books.records:
            known = await self._open(missing)
        elif missing:
            known = await self._learn(missing)
        self._cards |= CARDS.validate_python(known["operations"])
        schemas = Schemas()
        for node in new:
            check_operation(
                node.name,
                node.spec,
                self._cards,
                known["known_operations"],
                schemas,
                constants=not isinstance(node.call, FunctionArguments),
            )

    async def _learn(self, operations: tuple[str, ...]) -> Record:
        now, previous = workflow.now(), self.books.last
        return await self.books.learn(
            LearnRequest(at=now, operations=operations, previous=previous)
        )

    async def _open(self, operations: tuple[str, ...]) -> Record:
        return await self.books.open(
            OpenRequest(
                at=workflow.now(),
                version=__version__,
                spec_sha256=self.spec_sha256,
                policy=self.engine.runtime.policy,
                operations=operations,
                previous=self.books.last,
            )
        )

    def _publish(self) -> None:
        runtime = self.engine.runtime
        self.attributes.awaiting(self.barrier.awaiting)
        workflow.set_current_details(
            details(
                self.nodes,
                runtime.table,
                runtime.accounts.ledger,
                runtime.policy,
                self.books.records,
                self.barrier.waiting(),
            )
        )
