"""Which decision launched which speculation, and which call made a node's output.

A launch names no record: it is found by what was asked. The fingerprint of its arguments, worked out
again, is that of a call that an earlier decision launched for the same node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from forerun.activities.intent import StageRequest
from forerun.activities.model_call import ModelRequest
from forerun.activities.operation import ToolRequest
from forerun.speculation.bet import Stake
from forerun.speculation.call import Call as MadeCall
from forerun.speculation.decision import Decision
from forerun.speculation.record import Outcome
from forerun.speculation.table import Ending
from forerun.workers.audit.run import Call, Run
from forerun.workflows.planning import MODEL_VERSION

ASKED = ("prompt", "system", "choices", "schema", "max_output_tokens", "temperature")
"""What makes a model call that call: all else of its request serves the run."""

CLAIMED_BY = "claimed by "


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A call that a decision launched: one stake of its bet. `event_id` is that of the record."""

    event_id: int
    decision: Decision
    stake: Stake


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A speculation and the decision behind it; None where no earlier record launched it."""

    call: Call
    fingerprint: str | None
    decided: Decided | None


def launches(run: Run) -> list[Launch]:
    """The speculations of a run in the order of their launch; no decision counts for two."""
    return _paired(run)[0]


def unsent(run: Run) -> dict[str, Decided]:
    """By speculation, what was decided, cut in the same task, and so never scheduled."""
    found, left = _paired(run)
    sent = {launch.call.id for launch in found}
    never: dict[str, Decided] = {}
    for _, outcome in run.of(Outcome):
        if outcome.speculation not in sent:
            named = (b for b in left if b.stake.fingerprint == outcome.fingerprint)
            source = next(named, None)
            if source is not None:
                left.remove(source)
                never[outcome.speculation] = source
    return never


def decided(run: Run) -> list[Decided]:
    """Every call that a decision launched, in the order of the records."""
    return [
        Decided(event_id=event_id, decision=decision, stake=exposure.stake)
        for event_id, decision in run.of(Decision)
        for exposure in decision.launched
    ]


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
    own = [(call.node, call) for call in run.calls if not call.speculative]
    made: dict[str, list[Call]] = {}
    for node, call in [*own, *promoted(run)]:
        if call.completed:
            made.setdefault(node, []).append(call)
    return made


def outputs(run: Run) -> dict[str, Any]:
    """By node, its output; that of a `for_each` node is the list of its items' outputs."""
    made = {node: calls[0].output for node, calls in makers(run).items()}
    for node in run.graph.nodes.values() if run.graph else ():
        if node.gathers and not node.effect:
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


def _paired(run: Run) -> tuple[list[Launch], list[Decided]]:
    left = decided(run)
    found: list[Launch] = []
    for call in run.calls:
        if call.speculative:
            fingerprint = fingerprint_of(call)
            source = next((b for b in left if _launched(b, call, fingerprint)), None)
            if source is not None:
                left.remove(source)
            found.append(Launch(call=call, fingerprint=fingerprint, decided=source))
    return found, left


def _launched(source: Decided, call: Call, fingerprint: str | None) -> bool:
    earlier = source.event_id < call.event_id
    return earlier and (source.stake.node, source.stake.fingerprint) == (call.node, fingerprint)
