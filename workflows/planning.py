"""From a node and the values of its upstream to a call that can be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from temporalio import workflow

from forerun.workflows.options import DEFAULT_RETRIES, MODEL_TIMEOUT_SECONDS, CallOptions

with workflow.unsafe.imports_passed_through():
    from forerun.activities.intent import Intent
    from forerun.activities.model_call import ModelRequest
    from forerun.activities.operation import OperationCard, ToolRequest
    from forerun.speculation.call import Call
    from forerun.speculation.disclosure import Disclosure
    from forerun.speculation.effect_class import EffectClass
    from forerun.speculation.equivalence import Approximation
    from forerun.speculation.estimates import Work, output_tokens
    from forerun.speculation.policy import Policy
    from forerun.speculation.quantities import number
    from forerun.workflows.dispatch import Planned
    from forerun.workflows.graph import Graph
    from forerun.workflows.node import Node, RenderedCall
    from forerun.workflows.spec import EffectNode, ModelNode, PolicySpec, StreamGuess

MODEL_VERSION = "1"
"""Version of how a model is asked: a part of every model call's fingerprint."""

BYTES_PER_CHOICE_TOKEN = 4


def policy_of(spec: PolicySpec) -> Policy:
    """The policy that a spec starts with."""
    return Policy(
        alpha=spec.alpha,
        usd_per_second=spec.usd_per_second,
        budget_usd=spec.budget_usd,
        max_breadth=spec.max_breadth,
        max_depth=spec.max_depth,
        p_bound=spec.p_bound,
    )


def stage_of(intent: Intent) -> Call:
    """What a stage of it is known by in the call table; others may intend the same."""
    return Call(operation=intent.operation, version=intent.version, arguments=intent.arguments)


class Planner:
    """Plans the calls of one run. `cards` are those of the operations that its nodes name.

    Calls of runs of the same `workload` are alike.
    """

    def __init__(
        self, graph: Graph, cards: Mapping[str, OperationCard], workload: str = "default"
    ) -> None:
        self.workload = workload
        self._graph = graph
        self._cards = cards
        self._work: dict[str, Work | None] = {}

    def knows(self, name: str) -> bool:
        """Whether this run has been told what the operation of a node can do.

        One that is declared while the books are being kept is known from the next round on.
        """
        spec = self._graph.node(name).spec
        return spec.kind == "model" or spec.operation in self._cards

    def plan(self, name: str, values: Mapping[str, Any]) -> Planned:
        """The call of a model or tool node; of an effect, the stage that may be made of it.

        Raises:
            RenderError: a template has no value, or too large a one.
        """
        node = self._graph.node(name)
        if node.effect:
            return self._plan_stage(node, self.intent(name, values, ()))
        rendered = node.render(values)
        if isinstance(node.spec, ModelNode):
            return self._plan_model(node, rendered)
        return self._plan_tool(node, rendered)

    def intent(
        self, name: str, values: Mapping[str, Any], approximations: Iterable[Approximation]
    ) -> Intent:
        """The wish of an effect node; `approximations` are those behind it.

        Raises:
            RenderError: a template has no value, or too large a one.
        """
        rendered = self._graph.node(name).render(values)
        card = self._cards[rendered.operation]
        return Intent.of(
            card,
            intent=name,
            arguments=rendered.arguments,
            approximations=tuple(approximations),
        )

    def approval_timeout(self, name: str) -> float | None:
        """How long an effect waits for people, in seconds; None: for ever."""
        spec = self._graph.node(name).spec
        return spec.approval_timeout_seconds if isinstance(spec, EffectNode) else None

    def effect_of(self, name: str) -> EffectClass:
        """The effect class of an effect node."""
        return self._cards[self._graph.node(name).spec.operation].effect

    def disclosure(self, name: str) -> Disclosure | None:
        """What a speculative call of this node may send; a model call has no policy."""
        card = self._cards.get(self._graph.node(name).spec.operation)
        return card.disclosure if card else None

    def max_age_ms(self, name: str) -> int | None:
        """How old a speculative result of this node may be when it is claimed; None: any age."""
        card = self._cards.get(self._graph.node(name).spec.operation)
        if card is None or card.effect is not EffectClass.READ:
            return None
        return round(card.max_age_seconds * 1000)

    def work(self, name: str) -> Work | None:
        """What is known of a node's call before it can be rendered; None where it makes none."""
        if not self.knows(name):
            return None
        if name not in self._work:
            self._work[name] = self._work_of(self._graph.node(name))
        return self._work[name]

    def title(self, name: str) -> str:
        """For people: `draft: anthropic:sim-mid`."""
        return f"{name}: {self._graph.node(name).spec.operation}"

    def _plan_model(self, node: Node, rendered: RenderedCall) -> Planned:
        provider, model = rendered.arguments["provider"], rendered.arguments["model"]
        work = self.work(node.name)
        request = ModelRequest(
            **rendered.arguments, expected_output_tokens=output_tokens(work) if work else 0
        )
        asked = {
            key: value
            for key, value in rendered.arguments.items()
            if key not in ("provider", "model")
        }
        if asked["choices"] is not None:
            asked["choices"] = list(asked["choices"])
        return Planned(
            node=node.name,
            call=Call(operation=f"{provider}:{model}", version=MODEL_VERSION, arguments=asked),
            request=request,
            options=_options(node, MODEL_TIMEOUT_SECONDS),
            stream=next((g for g in node.guesses if isinstance(g, StreamGuess)), None),
        )

    def _plan_tool(self, node: Node, rendered: RenderedCall) -> Planned:
        card = self._cards[rendered.operation]
        call = Call(operation=card.name, version=card.version, arguments=rendered.arguments)
        request = ToolRequest(
            operation=card.name, version=card.version, arguments=rendered.arguments
        )
        return Planned(
            node=node.name, call=call, request=request, options=_options(node, card.timeout_seconds)
        )

    def _plan_stage(self, node: Node, intent: Intent) -> Planned:
        return Planned(
            node=node.name,
            call=stage_of(intent),
            request=intent.staging(),
            options=_options(node, self._cards[intent.operation].timeout_seconds),
        )

    def _work_of(self, node: Node) -> Work | None:
        """Of an effect only what can be done ahead of its gate is work."""
        if node.gathers or (node.effect and self.effect_of(node.name) is not EffectClass.STAGEABLE):
            return None
        spec, card = node.spec, self._cards.get(node.spec.operation)
        model = spec if isinstance(spec, ModelNode) else None
        return Work(
            workload=self.workload,
            node=node.parent or node.name,
            operation=spec.operation,
            input_bytes=node.size,
            max_output_tokens=model.output_limit if model else 0,
            choice_tokens=_choice_tokens(model),
            tool_seconds=number(card.seconds) if card else None,
            tool_usd=card.usd if card else None,
            seconds=spec.estimate.seconds,
            input_tokens=spec.estimate.input_tokens,
            output_tokens=spec.estimate.output_tokens,
        )


def _options(node: Node, timeout_seconds: float) -> CallOptions:
    retries = node.spec.retries
    return CallOptions(
        timeout_seconds=node.spec.timeout_seconds or timeout_seconds,
        retries=DEFAULT_RETRIES if retries is None else retries,
    )


def _choice_tokens(spec: ModelNode | None) -> int | None:
    if spec is None or spec.choice_tokens is None:
        return None
    return spec.choice_tokens // BYTES_PER_CHOICE_TOKEN + 1
