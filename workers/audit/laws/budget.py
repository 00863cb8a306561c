"""The budget at each launch, and the dials and funds that each decision names (design 6.6).

What was at risk at any moment is known to the last digit (`accounts`), so the funds of a decision
are too: the budget then in force, less what was at risk, less what its own batch launched before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from temporalio.exceptions import ApplicationError

from forerun.activities.decision_request import Opening
from forerun.speculation.decision import Decision
from forerun.speculation.policy import Policy
from forerun.speculation.quantities import ZERO
from forerun.speculation.rule import Verdict
from forerun.workers.audit.accounts import Accounts
from forerun.workers.audit.records import about
from forerun.workers.audit.run import Call, Marker, Run, Turn
from forerun.workers.audit.violation import Violation, unless_equal, violation
from forerun.workflows.policy_update import changed_policy


def check(run: Run) -> Iterator[Violation]:
    """Every decision and every launch, against the dials that were set before it."""
    dials, accounts = Dials(Policy()), Accounts(run)
    for happened in run.by_event():
        match happened:
            case Turn():
                yield from dials.turn(happened)
            case Marker():
                for opening in happened.of(Opening):
                    dials = Dials(opening.policy)
                yield from _decisions(happened, dials, accounts.ledger.at_risk_usd)
            case Call():
                pass
        accounts.enter(happened)
        if isinstance(happened, Call) and happened.speculative:
            yield from _launch(happened, dials.policy, accounts.ledger.at_risk_usd)


@dataclass(frozen=True, slots=True)
class _Setting:
    """A policy and when it was set."""

    at_ms: int
    policy: Policy


class Dials:
    """The policies of a run so far. What was turned before its opening is in the opening's."""

    def __init__(self, policy: Policy) -> None:
        self._settings = [_Setting(0, policy)]

    @property
    def policy(self) -> Policy:
        """The one in force."""
        return self._settings[-1].policy

    def turn(self, turn: Turn) -> Iterator[Violation]:
        """An accepted update sets what it names."""
        try:
            policy = changed_policy(self.policy, (turn.update,))
        except ApplicationError as error:
            yield violation(turn.event_id, "", "set_policy", "a valid update", error.message)
        else:
            self._settings.append(_Setting(turn.at_ms, policy))

    def at(self, moment: str) -> list[Policy]:
        """Those that may have been in force at a time, the newest first.

        An update that arrives while a local activity runs stands before its marker in history,
        and yet comes after the decision. Replay knows which it was; here both are taken.
        """
        newest_first = list(reversed(self._settings))
        now = _ms(moment)
        since = next((i for i, one in enumerate(newest_first) if one.at_ms <= now), 0)
        return [one.policy for one in newest_first[: since + 1]]


def _decisions(marker: Marker, dials: Dials, at_risk: Decimal) -> Iterator[Violation]:
    committed = ZERO
    for decision in marker.of(Decision):
        complaints = [
            list(_named(marker.event_id, decision, policy, at_risk + committed))
            for policy in dials.at(decision.at)
        ]
        if all(complaints):
            yield from complaints[0]
        if decision.verdict is Verdict.LAUNCH:
            committed += decision.worst_usd or ZERO


def _named(
    event_id: int, decision: Decision, policy: Policy, at_risk: Decimal
) -> Iterator[Violation]:
    """What a decision says of the dials and of the funds left."""
    expected = {
        "alpha": policy.alpha,
        "usd_per_second": policy.usd_per_second,
        "p_bound": policy.p_bound,
        "funds_usd": policy.budget_usd - at_risk,
    }
    for check, value in expected.items():
        yield from unless_equal(event_id, about(decision), check, value, getattr(decision, check))
    depth = len(decision.assumptions)
    if decision.verdict is Verdict.LAUNCH and depth > policy.max_depth:
        expected = f"at most {policy.max_depth} assumptions"
        yield violation(event_id, about(decision), "max_depth", expected, depth)


def _launch(call: Call, policy: Policy, at_risk: Decimal) -> Iterator[Violation]:
    if at_risk > policy.budget_usd or policy.budget_usd <= ZERO:
        expected = f"at most {policy.budget_usd} at risk"
        yield violation(call.event_id, call.node, "budget", expected, at_risk)


def _ms(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp() * 1000
    except (ValueError, OverflowError):
        return float("inf")
