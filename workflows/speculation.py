"""`Speculation`: the runtime, for any workflow.

    async with Speculation(budget_usd="0.10") as ahead:
        kind = ahead.model("classify", "openai:sim-mid", text, choices=KINDS, guess=GUESSES)
        found = ahead.tool("lookup", "kb.search", lambda kind: {"topic": kind}, kind)
        reply = ahead.model("reply", "anthropic:sim-mid", write, kind, found)
        return await reply

Steps are declared first and awaited last: what is declared on the outputs of others may run ahead of
them. `AgentDag` is this class and nothing else; here a step's inputs are functions, there templates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from copy import deepcopy
from types import TracebackType
from typing import Any, Self, TypedDict

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from typing_extensions import Unpack

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.approvals import Answer
    from forerun.speculation.canonical import digest
    from forerun.workflows.messages import listen
    from forerun.workflows.node import Node
    from forerun.workflows.planning import policy_of
    from forerun.workflows.refusals import misused, refusing
    from forerun.workflows.result import failed
    from forerun.workflows.run import Run
    from forerun.workflows.run_state import NodeRun, NodeState
    from forerun.workflows.spec import PolicySpec, SpecError, parse_graph, unsupported_features
    from forerun.workflows.spec_checks import check_guessed_node
    from forerun.workflows.spec_errors import validated
    from forerun.workflows.steps import (
        EffectOptions,
        ModelOptions,
        Step,
        StepOptions,
        effect_node,
        model_node,
        tool_node,
    )

NODES_FAILED = "NodesFailed"

Args = Mapping[str, Any] | Callable[..., Mapping[str, Any]]
When = Callable[..., bool] | None


class Dials(TypedDict, total=False):
    """The operator's policy: the keys of `policy` in a spec, with the same defaults."""

    alpha: float | str
    usd_per_second: str
    budget_usd: str
    max_breadth: int
    max_depth: int
    p_bound: float | str | None


class Speculation:
    """Runs the steps that a workflow declares, ahead of their inputs where that pays.

    One per workflow, made where the workflow begins: from then on it answers the signals `approve`
    and `reject`, the update `set_policy`, and the queries `ledger`, `decisions` and `pending`. Leaving
    the `async with` waits for all steps, and settles every speculation, whatever happened.

    Raises:
        ApplicationError: of type `InvalidSpec` where a dial or a step is no good.
    """

    def __init__(self, *, workload: str = "default", **dials: Unpack[Dials]) -> None:
        with refusing():
            policy = policy_of(validated(PolicySpec, dict(dials), "policy"))
        self._run = Run(policy, workload)
        self._awaited: tuple[str, ...] = ()
        self._performing: asyncio.Task[None] | None = None
        self._left = False
        listen(self._run)

    def answered(self, answer: Answer, payloads: tuple[Any, ...]) -> None:
        """Take in a signal `approve` or `reject` that came before this was made."""
        self._run.barrier.receive(answer, payloads)

    def model(
        self,
        name: str,
        model: str,
        prompt: str | Callable[..., str],
        *of: Step,
        when: When = None,
        **options: Unpack[ModelOptions],
    ) -> Step:
        """Declare a model call. `prompt` is a text, or a function of the outputs of `of`.

        So is `when`: if it returns false, the step is skipped, and what is declared on it. Functions
        are called with guesses too: they have to be pure.
        """
        with refusing():
            return self._declare(model_node(name, model, prompt, _names(of), when, options))

    def tool(
        self, name: str, tool: str, args: Args, *of: Step, when: When = None,
        **options: Unpack[StepOptions],
    ) -> Step:  # fmt: skip
        """Declare a call of a registered tool. `args` are values, or a function that returns them."""
        with refusing():
            return self._declare(tool_node(name, tool, args, _names(of), when, options))

    def effect(
        self, name: str, effect: str, args: Args, *of: Step, when: When = None,
        **options: Unpack[EffectOptions],
    ) -> Step:  # fmt: skip
        """Declare an effect: an intent of this name, which never happens on a guess or unapproved."""
        with refusing():
            return self._declare(effect_node(name, effect, args, _names(of), when, options))

    def add_spec(self, raw: object) -> None:
        """Take over the policy, the workload and all nodes of a spec (design 5)."""
        with refusing():
            spec, graph = parse_graph(raw)
            if (unsupported := unsupported_features(spec)) is not None:
                raise unsupported
            self._run.planner.workload = spec.workload
            self._run.spec_sha256 = digest(spec.model_dump(mode="json", by_alias=True))
            self._run.engine.set_policy(policy_of(spec.policy))
            for node in graph.nodes.values():
                self._run.add(node)

    def result(self) -> dict[str, Any]:
        """Outputs, effects and the ledger so far, as `AgentDag` returns them (design 5): a copy."""
        return deepcopy(self._run.result())

    async def output_of(self, name: str) -> Any:
        """The output of a step, once it has ended; see `Step`."""
        run = self._run.nodes[name]
        await workflow.wait_condition(lambda: run.state.ended or self._task.done())
        if not run.state.ended:
            with refusing():
                self._task.result()  # the engine has failed: nothing will ever end
        run.seen = True
        self._remember(name)
        if run.state in (NodeState.FAILED, NodeState.STOPPED):
            raise self._failure({name: run.error or "something that it needs failed"})
        return self._value(run)

    async def __aenter__(self) -> Self:
        # A task of its own: a workflow cancel reaches only the user's coroutine, and what has been
        # spent must be settled all the same.
        if self._performing is not None:
            raise misused("`async with` was entered twice by one Speculation()")
        self._performing = asyncio.create_task(self._run.perform())  # noqa: TID251 - awaited below
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._left = True
        if error is not None:
            await self._wind_down()
            return
        self._run.engine.close()
        try:
            with refusing():
                await asyncio.shield(self._task)
        except asyncio.CancelledError:
            await self._wind_down()
            raise
        unseen = {n: why for n, why in failed(self._run.nodes).items() if not self._seen(n)}
        if unseen:
            raise self._failure(unseen)

    async def _wind_down(self) -> None:
        """Cut, join and settle everything. A run that was never opened has nothing to settle."""
        # What came with the cancel request is taken in first: conditions are looked at once nothing
        # else is ready, and the SDK drops the result of a call that is cut before it is taken.
        try:
            await workflow.wait_condition(lambda: True)
        finally:
            self._run.engine.cancel()
            await self._join()

    async def _join(self) -> None:
        """Wait for the engine: who is cancelled meanwhile still has to wait, and is cancelled then."""
        over = asyncio.gather(self._task, return_exceptions=True)
        cancelled = False
        while not over.done():
            try:
                await asyncio.shield(over)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    @property
    def _task(self) -> asyncio.Task[None]:
        if self._performing is None:
            raise misused("a step was awaited outside of `async with Speculation()`")
        return self._performing

    def _declare(self, node: Node) -> Step:
        if self._left:
            problem = "is declared after its `async with Speculation()` was left, or while it is"
            raise SpecError(f"nodes.{node.name}", node.name, problem, "declare it inside")
        if node.name in self._run.nodes:
            fix = "give each step a name of its own, such as one with the number of the round"
            raise SpecError(f"nodes.{node.name}", node.name, "is declared twice", fix)
        check_guessed_node(node.name, node.spec, self._run.nodes.graph)
        self._run.add(node, after=self._awaited)
        return Step(node.name, self)

    def _remember(self, name: str) -> None:
        """What is declared from now on could not have been declared before this step ended."""
        graph = self._run.nodes.graph
        earlier = (one for one in self._awaited if one != name and not graph.needs(name, one))
        self._awaited = (*earlier, name)

    def _value(self, run: NodeRun) -> Any:
        """A copy: what a workflow does to it changes no step that is rendered from it."""
        if self._run.nodes.graph.nodes[run.name].effect:
            end = self._run.barrier.ends.get(run.name)
            return deepcopy(end.as_result()) if end else None
        return deepcopy(run.output)

    def _seen(self, name: str) -> bool:
        return self._run.nodes[name].seen

    def _failure(self, nodes: Mapping[str, str]) -> ApplicationError:
        first, why = next(iter(nodes.items()))
        return ApplicationError(
            f"failed nodes: {', '.join(nodes)} ({first}: {why})",
            self.result(),
            type=NODES_FAILED,
            non_retryable=True,
        )


def _names(steps: tuple[Step, ...]) -> tuple[str, ...]:
    return tuple(step.name for step in steps)
