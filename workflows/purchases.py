"""Guesses that are bought: a cheaper model is asked the prompt that a node's own call is asked.

What is bought is an answer and no speculation: it never becomes an output, and its dollars are spent
on guessing, whether it was right or not. While nobody knows it, what hangs on it is judged as a bet on
an unknown value (verdict `buy`, design 1); once it is there, it is a guess like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Completed, Cut
    from forerun.speculation.beliefs import Beta, stated
    from forerun.speculation.call import Call
    from forerun.speculation.canonical import canonical_json
    from forerun.speculation.quantities import FIGURES
    from forerun.speculation.record import Bought, BoughtEnd
    from forerun.workflows.bills import bill_of
    from forerun.workflows.dispatch import Dispatcher, Ended, Planned
    from forerun.workflows.planning import Planner
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.spec_guesses import ModelGuess

EVEN = stated(Decimal("0.5"))
"""What a cheaper model's answer is worth where the spec says nothing; ours. Speculative Actions
measured 0.31 to 0.55 on chess (methods.md 9)."""


@dataclass(slots=True, kw_only=True)
class Offer:
    """A guess that could be bought, or was: `guess` is the name of its unknown value.

    `answers` are those that have come, of `k`.
    """

    guess: str
    node: str
    source: ModelGuess
    planned: Planned
    bought: bool = False
    answers: list[Any] = field(default_factory=list[Any])

    @property
    def belief(self) -> Beta:
        """That one of its answers will be right."""
        return stated(self.source.p) if self.source.p else EVEN

    @property
    def label(self) -> str:
        """For people: `classify=?openai:sim-small`."""
        return f"{self.node}=?{self.source.model}"


class Purchases:
    """What a run may buy, has bought, and has paid for it."""

    def __init__(self, nodes: Nodes, planner: Planner, dispatcher: Dispatcher) -> None:
        self._nodes = nodes
        self._planner = planner
        self._dispatcher = dispatcher
        self._offers: dict[str, Offer] = {}
        self._live: dict[str, Offer] = {}
        self._cut: dict[str, str] = {}
        self._records: list[Bought] = []

    def on_offer(self, name: str) -> list[Offer]:
        """What could be bought for a node: its own call runs, so its prompt is certain."""
        return [offer for offer in self._of(name) if not offer.bought]

    def answers(self, name: str, source: ModelGuess) -> Iterator[tuple[Any, Beta]]:
        """The answers that have come, and what each is worth: those that agree add up."""
        for offer in self._offers.values():
            if offer.node != name or offer.source is not source:
                continue
            votes: dict[str, list[Any]] = {}
            for answer in offer.answers:
                votes.setdefault(canonical_json(answer), []).append(answer)
            for same in votes.values():
                p = FIGURES.divide(offer.belief.mean * len(same), Decimal(source.k))
                yield same[0], stated(p)

    def buy(self, guess: str) -> Offer:
        """Take an offer, by the name of its unknown value: it is on offer no more."""
        self._offers[guess].bought = True
        return self._offers[guess]

    def asked(self, id: str, offer: Offer) -> None:
        """A call has been started for it."""
        self._live[id] = offer

    def absorb(self, ended: Ended) -> bool:
        """Take in the end of a bought call, its answer and its bill; False if it is none."""
        offer = self._live.pop(ended.id, None)
        if offer is None:
            return False
        billed = bill_of(ended)
        match ended.result:
            case Completed(output=output):
                offer.answers.append(output)
                end = BoughtEnd.ANSWERED
            case Cut():
                end = BoughtEnd.CUT
            case None:
                end = BoughtEnd.CUT if billed.never_ran else BoughtEnd.FAILED
        self._records.append(
            Bought(
                at=workflow.now().isoformat(),
                purchase=ended.id,
                guess=offer.guess,
                node=offer.node,
                label=offer.label,
                operation=offer.planned.call.operation,
                fingerprint=offer.planned.call.fingerprint,
                end=end,
                reason=self._cut.pop(ended.id, ""),
                usage=billed.bill.usage,
                delivered_tokens=billed.delivered_tokens,
                expected_tokens=billed.expected_tokens,
                seconds=billed.seconds_recorded,
                low_usd=billed.cost.low_usd,
                best_usd=billed.cost.best_usd,
                high_usd=billed.cost.high_usd,
                basis=billed.cost.basis,
            )
        )
        return True

    def over(self, nodes: Iterable[str]) -> None:
        """These nodes have ended: nobody needs to guess them any more."""
        for node in nodes:
            self._cut_all(f"{node} has answered", of=node)

    def stop(self, reason: str) -> None:
        """Cut all that is being bought."""
        self._cut_all(reason)

    def take(self) -> list[Bought]:
        """The records of bought calls that ended since the last time."""
        records, self._records = self._records, []
        return records

    def _cut_all(self, reason: str, of: str | None = None) -> None:
        for id, offer in self._live.items():
            if of is None or offer.node == of:
                self._cut.setdefault(id, reason)
                self._dispatcher.cut(id)

    def _of(self, name: str) -> list[Offer]:
        node = self._nodes.graph.nodes[name]
        sources = [(at, g) for at, g in enumerate(node.guesses) if isinstance(g, ModelGuess)]
        if not sources or self._nodes[name].state is not NodeState.RUNNING:
            return []
        return [self._offer(name, f"{name}@?{at}:{source.model}", source) for at, source in sources]

    def _offer(self, name: str, guess: str, source: ModelGuess) -> Offer:
        if guess not in self._offers:
            planned = self._cheaper(name, source)
            self._offers[guess] = Offer(guess=guess, node=name, source=source, planned=planned)
        return self._offers[guess]

    def _cheaper(self, name: str, source: ModelGuess) -> Planned:
        """The node's own call, put to another model."""
        planned = self._planner.plan(name, self._nodes.values(name))
        provider, _, model = source.model.partition(":")
        asked = Call(
            operation=source.model,
            version=planned.call.version,
            arguments=planned.call.arguments,
        )
        request = replace(planned.model_request, provider=provider, model=model)
        return replace(planned, call=asked, request=request, stream=None)
