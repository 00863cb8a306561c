"""`AgentDag`: a DAG of model calls, tools and effects, run ahead of itself where that pays.

Its input and its messages are raw JSON, parsed by our own code: an argument that does not parse in
the SDK would retry the workflow task for ever, and a signal that does not would vanish. So a bad
spec fails the run with one line, and a bad signal is kept and shown.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import TypeAdapter
from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from forerun import __version__
    from forerun.activities.decision_request import OpenRequest
    from forerun.activities.operation import OperationCard
    from forerun.speculation.canonical import digest
    from forerun.speculation.quantities import text
    from forerun.workflows.barrier import Barrier
    from forerun.workflows.books import Books
    from forerun.workflows.dag_run import DagRun
    from forerun.workflows.details import details
    from forerun.workflows.graph import Graph
    from forerun.workflows.planning import Planner, policy_of
    from forerun.workflows.policy_update import changed_policy
    from forerun.workflows.result import failed, ledger_view, result_of
    from forerun.workflows.run_state import now_ms
    from forerun.workflows.search_attributes import SearchAttributes
    from forerun.workflows.spec import (
        PolicySpec,
        Spec,
        SpecError,
        check_operations,
        parse_graph,
        unsupported_features,
    )
    from forerun.workflows.timing import Timing, timing

CARDS: TypeAdapter[dict[str, OperationCard]] = TypeAdapter(dict[str, OperationCard])

INVALID_SPEC = "InvalidSpec"
NODES_FAILED = "NodesFailed"


@workflow.defn(name="AgentDag")
class AgentDag:
    """One run of one spec."""

    def __init__(self) -> None:
        self._barrier = Barrier()
        self._books = Books()
        self._run: DagRun | None = None
        self._began_ms = now_ms()

    @workflow.run
    async def run(self, *inputs: Any) -> dict[str, Any]:
        """Run the spec, which is the one input, to its end."""
        try:
            spec, graph = parse_graph(inputs[0] if len(inputs) == 1 else list(inputs))
            if (unsupported := unsupported_features(spec)) is not None:
                raise unsupported
            # The engine is a task of its own: a workflow cancel reaches only this coroutine, and
            # what has been spent must be settled all the same.
            engine = asyncio.create_task(self._engine(spec, graph))
            try:
                return await asyncio.shield(engine)
            except asyncio.CancelledError:
                await self._wind_down(engine)
                raise
        except SpecError as error:
            raise ApplicationError(str(error), type=INVALID_SPEC, non_retryable=True) from None

    @workflow.signal(name="approve", description="Open the gate of an intent")
    def approve(self, *payloads: Any) -> None:
        """`{"node", "by", "digest"?, "note"?}`; `node` is the intent."""
        self._barrier.receive("approve", payloads)

    @workflow.signal(name="reject", description="Close the gate of an intent for good")
    def reject(self, *payloads: Any) -> None:
        """`{"node", "by", "note"?}`; `node` is the intent."""
        self._barrier.receive("reject", payloads)

    @workflow.update(name="set_policy", description="Change alpha, usd_per_second, budget_usd")
    async def set_policy(self, *payloads: Any) -> dict[str, str]:
        """`{"alpha"?, "usd_per_second"?, "budget_usd"?}`; takes effect at the next decision."""
        run = await self._running()
        run.set_policy(changed_policy(run.runtime.policy, payloads))
        policy = run.runtime.policy
        return {
            "alpha": text(policy.alpha),
            "usd_per_second": text(policy.usd_per_second),
            "budget_usd": text(policy.budget_usd),
        }

    @set_policy.validator
    def _check_policy(self, *payloads: Any) -> None:
        policy = self._run.runtime.policy if self._run else None
        changed_policy(policy or policy_of(PolicySpec()), payloads)

    @workflow.query(name="ledger", description="Dollars and seconds so far")
    def ledger(self, *_: Any) -> dict[str, Any]:
        """The ledger so far, the state of every node, and what runs ahead."""
        if self._run is None:
            return {}
        return {
            **ledger_view(self._run.runtime.ledger, self._timing()),
            "nodes": self._run.nodes.states(),
            "ahead": [
                {"node": s.node, "assuming": s.label, "running": s.live}
                for s in self._run.runtime.table.open()
            ],
        }

    @workflow.query(name="decisions", description="Every record so far")
    def decisions(self, *_: Any) -> list[dict[str, Any]]:
        """All records in order: decisions, outcomes, tested guesses."""
        return self._books.records

    @workflow.query(name="pending", description="What waits for approval")
    def pending(self, *_: Any) -> dict[str, Any]:
        """The intents that wait, with their arguments, and signals that decided nothing."""
        return self._barrier.pending()

    async def _engine(self, spec: Spec, graph: Graph) -> dict[str, Any]:
        attributes = SearchAttributes(spec.workload)
        lookup = asyncio.create_task(attributes.look_up())
        planner = Planner(graph, await self._open(spec))
        self._run = DagRun(
            graph,
            planner,
            self._books,
            policy_of(spec.policy),
            self._barrier,
            lambda: self._publish(attributes),
        )
        await self._run.run()
        await lookup
        ledger, times = self._run.runtime.ledger, self._timing()
        attributes.close(
            spent=ledger.spent_usd, wasted=ledger.wasted_usd, saved_seconds=times.saved_seconds
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._result(times)

    async def _open(self, spec: Spec) -> dict[str, OperationCard]:
        """The cards of the operations that the spec names, as this worker has them: recorded."""
        opening = await self._books.open(
            OpenRequest(
                at=workflow.now(),
                version=__version__,
                spec_sha256=digest(spec.model_dump(mode="json", by_alias=True)),
                policy=policy_of(spec.policy),
                operations=spec.operations,
                previous=self._books.last,
            )
        )
        cards = CARDS.validate_python(opening["operations"])
        check_operations(spec, cards, opening["known_operations"])
        return cards

    def _result(self, times: Timing) -> dict[str, Any]:
        """The result; a run with failed nodes fails with it in the details."""
        run = self._require()
        result = result_of(run.nodes, self._barrier, run.runtime.ledger, times, self._books.last)
        broken = failed(run.nodes)
        if broken:
            first, why = next(iter(broken.items()))
            raise ApplicationError(
                f"failed nodes: {', '.join(broken)} ({first}: {why})",
                result,
                type=NODES_FAILED,
                non_retryable=True,
            )
        return result

    async def _wind_down(self, engine: asyncio.Task[dict[str, Any]]) -> None:
        """Cancelled: cut, join and settle everything; a run not yet open has nothing to settle."""
        if self._run is None:
            engine.cancel()
            return
        self._run.cancel()
        await asyncio.gather(engine, return_exceptions=True)

    async def _running(self) -> DagRun:
        await workflow.wait_condition(lambda: self._run is not None)
        return self._require()

    def _require(self) -> DagRun:
        if self._run is None:
            raise AssertionError("the run is not open yet")
        return self._run

    def _timing(self) -> Timing:
        return timing(self._require().nodes, self._began_ms)

    def _publish(self, attributes: SearchAttributes) -> None:
        run = self._require()
        attributes.awaiting(self._barrier.awaiting)
        workflow.set_current_details(
            details(
                run.nodes,
                run.runtime.table,
                run.runtime.ledger,
                run.runtime.policy,
                self._books.records,
            )
        )
