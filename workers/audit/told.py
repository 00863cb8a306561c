"""What the run told its local activities, compared with what they wrote down.

Their arguments are not in history, but a replayed run gives them again. What `settle` and `open_run`
write follows from them alone, so it is compared field by field. What `decide` writes also rests on
the worker's prices and estimates, for which the record itself stands (`laws`); what it was asked,
and under which dials and funds, is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from forerun.activities.decision_request import (
    BetView,
    CallView,
    DecideRequest,
    Learned,
    LearnRequest,
    Opening,
    OpenRequest,
    PurchaseView,
    SettleRequest,
)
from forerun.activities.wording import WordingRequest
from forerun.speculation.decision import Decision
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import GuessCompared, plain
from forerun.speculation.rule import Verdict
from forerun.workers.audit.differences import ABSENT, differences
from forerun.workers.audit.payloads import only
from forerun.workers.audit.records import Undecodable, about, node_in
from forerun.workers.audit.run import Marker, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation


def compare(run: Run, commands: Sequence[Any]) -> Iterator[Violation]:
    """Every marker against what its local activity was told; what was not told is not compared."""
    local = (c.schedule_local_activity for c in commands if c.HasField("schedule_local_activity"))
    told = {command.seq: command for command in local}
    for marker in run.markers:
        command = told.get(marker.seq)
        if command is None or marker.type not in _CHECKS:
            continue
        adapter, check = _CHECKS[marker.type]
        try:
            request = adapter.validate_json(only(command.arguments).data)
        except (ValidationError, Undecodable) as error:  # another version's, with another shape
            yield violation(marker.event_id, "", "told", f"a request of {marker.type}", str(error))
        else:
            yield from check(marker, request)


def _opened(marker: Marker, request: OpenRequest) -> Iterator[Violation]:
    for opening in marker.of(Opening):
        expected = {
            "at": request.at.isoformat(),
            "version": request.version,
            "spec_sha256": request.spec_sha256,
            "policy": request.policy,
        }
        for check, value in expected.items():
            yield from unless_equal(marker.event_id, "", check, value, getattr(opening, check))
        named = {name for name in request.operations if name in opening.known_operations}
        yield from unless_equal(
            marker.event_id, "", "operations", sorted(named), sorted(opening.operations)
        )


def _settled(marker: Marker, request: SettleRequest) -> Iterator[Violation]:
    """It writes down what it is told, in the order of the request."""
    ends = [*request.outcomes, *request.purchases]
    expected = [plain(record) for record in (*request.compared, *ends, *request.guesses)]
    found = [plain(entry.record) if entry.record else entry.raw for entry in marker.entries]
    for index in range(max(len(expected), len(found))):
        one = expected[index] if index < len(expected) else ABSENT
        other = found[index] if index < len(found) else ABSENT
        node = node_in(one) or node_in(other)
        for unlike in differences(one, other):
            check = unlike.path or "record"
            yield violation(marker.event_id, node, check, unlike.expected, unlike.found)


def _decided(marker: Marker, request: DecideRequest) -> Iterator[Violation]:
    """Under which dials and funds it decided, and what it was asked."""
    bets = {bet.question: _asked(bet) for bet in (*request.bets, *request.purchases)}
    calls = {bet.question: bet.calls for bet in (*request.bets, *request.purchases)}
    committed = ZERO
    for decision in marker.of(Decision):
        expected = {
            "at": request.at.isoformat(),
            "alpha": request.policy.alpha,
            "usd_per_second": request.policy.usd_per_second,
            "p_bound": request.policy.p_bound,
            "funds_usd": request.funds_usd - committed,
        }
        if decision.question in bets:
            expected |= bets[decision.question]
            yield from _calls(marker.event_id, decision, calls[decision.question])
        elif decision.verdict is not Verdict.CUT:
            asked = " or ".join(bets) or "none"
            yield violation(marker.event_id, about(decision), "question", asked, decision.question)
        for check, value in expected.items():
            found = _field(decision, check)
            yield from unless_equal(marker.event_id, about(decision), check, value, found)
        if decision.verdict in (Verdict.LAUNCH, Verdict.BUY):
            committed += decision.worst_usd or ZERO


def _asked(bet: BetView | PurchaseView) -> dict[str, Any]:
    """What a decision repeats of its question."""
    repeated = {name: getattr(bet, name) for name in ("conditions", "refused", "skipped")}
    if isinstance(bet, BetView):
        return {
            **repeated,
            "assumptions": bet.assumptions,
            "alternatives": bet.alternatives,
            "purchase": None,
        }
    bought = {f"purchase.{name}": getattr(bet, name) for name in ("operation", "k", "fingerprint")}
    return {**repeated, **bought, "assumptions": (bet.assumption,), "alternatives": ()}


def _field(decision: Decision, path: str) -> Any:
    """`purchase.k` of a decision; None where it has none."""
    found: Any = decision
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


def _calls(event_id: int, decision: Decision, calls: Sequence[CallView]) -> Iterator[Violation]:
    """Each call of the decision is one of the bet, with the very arguments."""
    asked = {call.node: call for call in calls}
    for exposure in decision.calls:
        stake, call = exposure.stake, asked.get(exposure.stake.node)
        if call is None:
            yield violation(event_id, stake.node, "calls", " or ".join(asked), stake.node)
            continue
        for check in ("fingerprint", "waits_for"):
            expected, found = getattr(call, check), getattr(stake, check)
            yield from unless_equal(event_id, stake.node, check, expected, found)


def _compared(marker: Marker, request: WordingRequest) -> Iterator[Violation]:
    """Each verdict is on a pair that it was asked about, and no higher than it may decide."""
    pairs = {pair.guess: pair for pair in request.pairs}
    for verdict in marker.of(GuessCompared):
        pair = pairs.get(verdict.guess)
        if pair is None:
            asked = " or ".join(pairs) or "none"
            yield violation(marker.event_id, verdict.node, "guess", asked, verdict.guess)
            continue
        expected = {
            "at": request.at.isoformat(),
            "node": pair.node,
            "label": pair.label,
            "value_sha256": pair.predicted_sha256,
            "actual_sha256": pair.actual_sha256,
        }
        for check, value in expected.items():
            yield from unless_equal(
                marker.event_id, verdict.node, check, value, getattr(verdict, check)
            )


def _learned(marker: Marker, request: LearnRequest) -> Iterator[Violation]:
    for learned in marker.of(Learned):
        named = {name for name in request.operations if name in learned.known_operations}
        yield from unless_equal(marker.event_id, "", "at", request.at.isoformat(), learned.at)
        yield from unless_equal(
            marker.event_id, "", "operations", sorted(named), sorted(learned.operations)
        )


_Check = Callable[[Marker, Any], Iterator[Violation]]
_CHECKS: Mapping[str, tuple[TypeAdapter[Any], _Check]] = {
    "open_run": (TypeAdapter(OpenRequest), _opened),
    "learn": (TypeAdapter(LearnRequest), _learned),
    "compare_wording": (TypeAdapter(WordingRequest), _compared),
    "decide": (TypeAdapter(DecideRequest), _decided),
    "settle": (TypeAdapter(SettleRequest), _settled),
}
