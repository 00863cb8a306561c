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
    DecideRequest,
    Opening,
    OpenRequest,
    SettleRequest,
)
from forerun.speculation.decision import Decision
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import plain
from forerun.speculation.rule import Verdict
from forerun.workers.audit.differences import ABSENT, differences
from forerun.workers.audit.payloads import object_of, only
from forerun.workers.audit.records import SEAL, Undecodable, about, node_in
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
    expected = [plain(record) for record in (*request.outcomes, *request.guesses)]
    found = [_content(entry.raw) for entry in marker.entries]
    for index in range(max(len(expected), len(found))):
        one = expected[index] if index < len(expected) else ABSENT
        other = found[index] if index < len(found) else ABSENT
        node = node_in(one) or node_in(other)
        for unlike in differences(one, other):
            check = unlike.path or "record"
            yield violation(marker.event_id, node, check, unlike.expected, unlike.found)


def _content(raw: Any) -> Any:
    return {key: value for key, value in object_of(raw).items() if key not in SEAL}


def _decided(marker: Marker, request: DecideRequest) -> Iterator[Violation]:
    """Under which dials and funds it decided, and what it was asked."""
    bets = {bet.question: bet for bet in request.bets}
    committed = ZERO
    for decision in marker.of(Decision):
        expected = {
            "at": request.at.isoformat(),
            "alpha": request.policy.alpha,
            "usd_per_second": request.policy.usd_per_second,
            "p_bound": request.policy.p_bound,
            "funds_usd": request.funds_usd - committed,
        }
        bet = bets.get(decision.question)
        if bet is not None:
            expected |= _asked(bet)
            yield from _calls(marker.event_id, decision, bet)
        elif decision.verdict is not Verdict.CUT:
            asked = " or ".join(bets) or "none"
            yield violation(marker.event_id, about(decision), "question", asked, decision.question)
        for check, value in expected.items():
            found = getattr(decision, check)
            yield from unless_equal(marker.event_id, about(decision), check, value, found)
        if decision.verdict is Verdict.LAUNCH:
            committed += decision.worst_usd or ZERO


def _asked(bet: BetView) -> dict[str, Any]:
    names = ("assumptions", "alternatives", "conditions", "refused", "skipped")
    return {name: getattr(bet, name) for name in names}


def _calls(event_id: int, decision: Decision, bet: BetView) -> Iterator[Violation]:
    """Each call of the decision is one of the bet, with the very arguments."""
    asked = {call.node: call for call in bet.calls}
    for exposure in decision.calls:
        stake, call = exposure.stake, asked.get(exposure.stake.node)
        if call is None:
            yield violation(event_id, stake.node, "calls", " or ".join(asked), stake.node)
            continue
        for check in ("fingerprint", "waits_for"):
            expected, found = getattr(call, check), getattr(stake, check)
            yield from unless_equal(event_id, stake.node, check, expected, found)


_Check = Callable[[Marker, Any], Iterator[Violation]]
_CHECKS: Mapping[str, tuple[TypeAdapter[Any], _Check]] = {
    "open_run": (TypeAdapter(OpenRequest), _opened),
    "decide": (TypeAdapter(DecideRequest), _decided),
    "settle": (TypeAdapter(SettleRequest), _settled),
}
