"""Which decision started which call, and which call made a node's output.

A launch names no record: it is found by what was asked. The fingerprint of its arguments, worked out
again, is that of a call that an earlier decision started for the same node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from forerun.activities.intent import StageRequest
from forerun.activities.model_call import ModelRequest
from forerun.activities.operation import ToolRequest
from forerun.speculation.call import Call as MadeCall
from forerun.speculation.decision import Decision
from forerun.speculation.pricing import Rates
from forerun.speculation.record import Bought, Outcome
from forerun.speculation.rule import Verdict
from forerun.speculation.table import Ending
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import Call, Run
from forerun.workflows.planning import MODEL_VERSION

ASKED = ("prompt", "system", "choices", "schema", "max_output_tokens", "temperature")
"""What makes a model call that call: all else of its request serves the run."""

CLAIMED_BY = "claimed by "

MOST_ANSWERS = 100
"""Of one purchase: more than a spec may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A call that a decision started: one of its bet, or one that its guess is bought with.

    `event_id` is that of the record; `worst_usd` is what this one call had to reserve.
    """

    event_id: int
    decision: Decision
    node: str
    operation: str
    fingerprint: str | None
    worst_usd: Decimal | None
    rates: Rates | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A call that was started by a decision; `decided` is None where no earlier record did."""

    call: Call
    fingerprint: str | None
    decided: Decided | None


def launches(run: Run) -> list[Launch]:
    """The speculations of a run in the order of their launch; no decision counts for two."""
    return _paired([call for call in run.calls if call.speculative], _launched(run))[0]


def purchases(run: Run) -> list[Launch]:
    """The calls that guesses were bought with."""
    return _paired([call for call in run.calls if call.bought], _bought(run))[0]


def unsent(run: Run) -> dict[str, Decided]:
    """What was decided, cut in the same task, and so never scheduled, by the id in its record."""
    sent = {call.id for call in run.calls}
    ahead = _paired([call for call in run.calls if call.speculative], _launched(run))[1]
    bought = _paired([call for call in run.calls if call.bought], _bought(run))[1]
    never: dict[str, Decided] = {}
    for _, outcome in run.of(Outcome):
        _take(never, outcome.speculation, outcome.fingerprint, ahead, sent)
    for _, purchase in run.of(Bought):
        _take(never, purchase.purchase, purchase.fingerprint, bought, sent)
    return never


def decided(run: Run) -> list[Decided]:
    """Every call that a decision started, in the order of the records."""
    return sorted([*_launched(run), *_bought(run)], key=lambda one: one.event_id)


def fingerprint_of(call: Call) -> str | None:
    """The fingerprint of what an activity was asked; None where that did not decode."""
    match call.asked:
        case ModelRequest() as request:
            asked = {key: value for key, value in asdict(request).items() if key in ASKED}
            operation, version = f"{request.provider}:{request.model}", MODEL_VERSION
        case ToolRequest() | StageRequest() as request:
            asked, operation, version = request.arguments, request.operation, request.version
        case _:
            return None
    try:
        return MadeCall(operation=operation, version=version, arguments=asked).fingerprint
    except ValueError:  # a number that JSON cannot hold
        return None


def makers(run: Run) -> dict[str, list[Call]]:
    """By node, the calls whose results became its output: its own, or one promoted for it."""
    own = [(call.node, call) for call in run.calls if call.certain]
    made: dict[str, list[Call]] = {}
    for node, call in [*own, *promoted(run)]:
        if call.completed:
            made.setdefault(node, []).append(call)
    return made


def outputs(run: Run) -> dict[str, Any]:
    """By node, its output.

    That of a `for_each` node is the list of its items' outputs, if all of them ended well: the result
    says so, and nothing else does.
    """
    made = {node: calls[0].output for node, calls in makers(run).items()}
    told = object_of((run.close.result or {}).get("outputs"))
    for node in run.graph.nodes.values() if run.graph else ():
        if node.gathers and node.name in told:
            items = sorted(_items(node.name, made))
            made[node.name] = [made[f"{node.name}[{index}]"] for index in items]
    return made


def _items(node: str, made: Mapping[str, Any]) -> Iterator[int]:
    """The numbers of those items of a `for_each` node that have an output."""
    for name in made:
        index = name.removeprefix(f"{node}[").removesuffix("]")
        if index.isdecimal() and name == f"{node}[{index}]":
            yield int(index)


def promoted(run: Run) -> list[tuple[str, Call]]:
    """The speculations that were claimed, each beside the node that claimed it.

    Not the stages of effects: what an intent claims is no output.
    """
    by_id = {call.id: call for call in run.calls if call.speculative}
    return [
        (outcome.reason.removeprefix(CLAIMED_BY), by_id[outcome.speculation])
        for _, outcome in run.of(Outcome)
        if outcome.outcome is Ending.PROMOTED
        and outcome.speculation in by_id
        and not isinstance(by_id[outcome.speculation].asked, StageRequest)
    ]


def _launched(run: Run) -> list[Decided]:
    return [
        Decided(
            event_id=event_id,
            decision=decision,
            node=exposure.stake.node,
            operation=exposure.stake.operation,
            fingerprint=exposure.stake.fingerprint,
            worst_usd=exposure.stake.worst_usd,
            rates=exposure.stake.rates,
        )
        for event_id, decision in run.of(Decision)
        for exposure in decision.launched
    ]


def _bought(run: Run) -> list[Decided]:
    """One for each of the `k` answers of a purchase; what it reserves for all is divided exactly."""
    return [
        Decided(
            event_id=event_id,
            decision=decision,
            node=decision.assumptions[0].node,
            operation=purchase.operation,
            fingerprint=purchase.fingerprint,
            worst_usd=None if purchase.worst_usd is None else purchase.worst_usd / purchase.k,
            rates=purchase.rates,
        )
        for event_id, decision in run.of(Decision)
        if (purchase := decision.purchase) and decision.verdict is Verdict.BUY
        for _ in range(min(purchase.k, MOST_ANSWERS) if decision.assumptions else 0)
    ]


def _paired(
    calls: Sequence[Call], sources: Sequence[Decided]
) -> tuple[list[Launch], list[Decided]]:
    """Each call beside the first earlier decision that started it; and the decisions left over."""
    left = list(sources)
    found: list[Launch] = []
    for call in calls:
        fingerprint = fingerprint_of(call)
        earlier = (one for one in left if one.event_id < call.event_id)
        named = (one for one in earlier if (one.node, one.fingerprint) == (call.node, fingerprint))
        source = next(named, None)
        if source is not None:
            left.remove(source)
        found.append(Launch(call=call, fingerprint=fingerprint, decided=source))
    return found, left


def _take(
    never: dict[str, Decided], id: str, fingerprint: str, left: list[Decided], sent: set[str]
) -> None:
    """Note the decision behind a call that has a record, but was never scheduled."""
    source = next((one for one in left if one.fingerprint == fingerprint), None)
    if id not in sent and source is not None:
        left.remove(source)
        never[id] = source
