"""The local activities that decide, settle and keep the record chain.

They run inside the workflow's worker, one at a time, in a few milliseconds, and touch nothing but
this process's memory. The marker that Temporal writes for each is the record itself: a run branches
only on what it says, so a better estimator or a new price never breaks the replay of an old run.
The result of each is exactly `{"records": [...]}`.
"""

# No postponed annotations: pydantic would look their names up in sys.modules, and the workflow
# sandbox has only those modules there that the workflow itself imported.

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from temporalio import activity

from forerun.activities.operation import OperationCard
from forerun.activities.price_lookup import CancelPolicies, Prices
from forerun.speculation.bet import Assumption, Bet, Condition, Placed, Refusal, Stake
from forerun.speculation.decision import Situation, decide
from forerun.speculation.estimates import Estimate, Work, estimate
from forerun.speculation.makespan import Ahead, Leg, Step
from forerun.speculation.policy import Policy
from forerun.speculation.pricing import Rates, Usage, input_usd, output_usd, worst_case_usd
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import GuessTested, Outcome, Record, chained
from forerun.speculation.rule import Verdict


class Phase(StrEnum):
    """Where a node stands, as far as time is concerned."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node as the decision sees it; `work` is None where only people or commits take time."""

    upstream: tuple[str, ...]
    work: Work | None
    phase: Phase = Phase.WAITING
    elapsed_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """A call of a bet. `fingerprint` is None while it waits for the results of `waits_for`."""

    node: str
    fingerprint: str | None
    waits_for: tuple[str, ...]
    input_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BetView:
    """A set of assumptions and the calls that hang on it, in topological order."""

    question: str
    assumptions: tuple[Assumption, ...]
    conditions: tuple[Condition, ...]
    calls: tuple[CallView, ...]
    refused: tuple[Refusal, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeculationView:
    """One way in which a launched speculation may prove right."""

    node: str
    guesses: tuple[str, ...]
    assumed: tuple[str, ...]
    done: bool
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRequest:
    """A decision point. `held` are the questions already answered with hold: not recorded again."""

    at: datetime
    policy: Policy
    funds_usd: Decimal
    nodes: dict[str, NodeView]
    placed: tuple[SpeculationView, ...]
    bets: tuple[BetView, ...]
    held_back: dict[str, str]
    held: tuple[str, ...]
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleRequest:
    """What has become certain: outcomes of speculations, and guesses that met their answer."""

    outcomes: tuple[Outcome, ...]
    guesses: tuple[GuessTested, ...]
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """The start of a run: what it names that only a worker knows."""

    at: datetime
    version: str
    spec_sha256: str
    policy: Policy
    operations: tuple[str, ...]
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first record: the cards of the operations that the spec names and this worker knows."""

    kind: str = "opening"
    at: str
    version: str
    spec_sha256: str
    policy: Policy
    operations: dict[str, OperationCard]
    known_operations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The result of every local activity, and the content of its marker."""

    records: list[Record] = field(default_factory=list[Record])


class Decisions:
    """The three local activities, with what this worker knows in memory."""

    def __init__(
        self,
        *,
        prices: Prices,
        cancel_billing: CancelPolicies,
        cards: Mapping[str, OperationCard],
    ) -> None:
        self._prices = prices
        self._cancel_billing = cancel_billing
        self._cards = cards

    @activity.defn(name="open_run")
    async def open_run(self, request: OpenRequest) -> Records:
        """Record what the run was started with and what its operations are on this worker."""
        opening = Opening(
            at=request.at.isoformat(),
            version=request.version,
            spec_sha256=request.spec_sha256,
            policy=request.policy,
            operations={n: self._cards[n] for n in request.operations if n in self._cards},
            known_operations=tuple(sorted(self._cards)),
        )
        return Records(records=chained([opening], request.previous))

    @activity.defn(name="decide")
    async def decide(self, request: DecideRequest) -> Records:
        """Judge a batch of bets; a bet held before for the same calls is not recorded again."""
        known = set(request.held)
        decisions = [
            decision
            for decision in decide(self._situation(request))
            if decision.verdict is not Verdict.HOLD or decision.question not in known
        ]
        return Records(records=chained(list(decisions), request.previous))

    @activity.defn(name="settle")
    async def settle(self, request: SettleRequest) -> Records:
        """Write down outcomes and tested guesses."""
        return Records(records=chained([*request.outcomes, *request.guesses], request.previous))

    def _situation(self, request: DecideRequest) -> Situation:
        estimates = {name: estimate(view.work) for name, view in request.nodes.items() if view.work}
        return Situation(
            at=request.at.isoformat(),
            policy=request.policy,
            funds_usd=request.funds_usd,
            network={n: _step(view, estimates.get(n)) for n, view in request.nodes.items()},
            placed=tuple(_placed(view, estimates[view.node]) for view in request.placed),
            bets=tuple(self._bet(bet, request) for bet in request.bets),
            held_back=request.held_back,
        )

    def _bet(self, bet: BetView, request: DecideRequest) -> Bet:
        return Bet(
            question=bet.question,
            assumptions=bet.assumptions,
            conditions=bet.conditions,
            calls=tuple(self._stake(call, request) for call in bet.calls),
            refused=bet.refused,
            skipped=bet.skipped,
        )

    def _stake(self, call: CallView, request: DecideRequest) -> Stake:
        work = request.nodes[call.node].work
        if work is None:
            raise ValueError(f"{call.node} makes no call that could be speculated on")
        if call.fingerprint is not None:
            work = replace(work, input_bytes=call.input_bytes)
        expected = estimate(work)
        rates = self._rates(work, request.at)
        whole_output = self._cancel_billing.whole_output(work.operation)
        inputs, outputs, worst = _dollars(work, expected, call.input_bytes, rates)
        return Stake(
            node=call.node,
            operation=work.operation,
            fingerprint=call.fingerprint,
            waits_for=call.waits_for,
            ms=expected.ms,
            input_tokens=expected.input_tokens,
            output_tokens=expected.output_tokens,
            estimate_basis=expected.basis,
            input_usd=inputs,
            output_usd=outputs,
            worst_usd=worst,
            rates=rates,
            whole_output=whole_output,
        )

    def _rates(self, work: Work, at: datetime) -> Rates | None:
        if work.tool_usd is not None:
            return None
        provider, _, model = work.operation.partition(":")
        return self._prices.rates(provider, model, at)


def _dollars(
    work: Work, expected: Estimate, input_bytes: int, rates: Rates | None
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Expected input and output dollars and the worst case; all None where unpriced."""
    if work.tool_usd is not None:
        return work.tool_usd, ZERO, work.tool_usd
    if rates is None:
        return None, None, None
    return (
        input_usd(rates, Usage(input_tokens=expected.input_tokens)),
        output_usd(rates, expected.output_tokens),
        worst_case_usd(rates, input_bytes=input_bytes, max_output_tokens=work.max_output_tokens),
    )


def _step(view: NodeView, expected: Estimate | None) -> Step:
    ms = expected.ms if expected else 0
    if view.phase is Phase.DONE:
        return Step(upstream=view.upstream, ms=0, started=True)
    if view.phase is Phase.RUNNING:
        return Step(upstream=view.upstream, ms=max(ms - view.elapsed_ms, 0), started=True)
    return Step(upstream=view.upstream, ms=ms)


def _placed(view: SpeculationView, expected: Estimate) -> Placed:
    left = 0 if view.done else max(expected.ms - view.elapsed_ms, 0)
    ahead = Ahead(node=view.node, legs=(Leg(view.node, left),), assumed=view.assumed)
    return Placed(guesses=view.guesses, ahead=ahead)
