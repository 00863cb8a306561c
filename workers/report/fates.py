"""What became of a decision: of the calls that it started, or of the guess that it held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forerun.speculation.bet import Assumption
from forerun.speculation.decision import Decision
from forerun.speculation.record import Bought, GuessTested, Outcome
from forerun.speculation.rule import Verdict
from forerun.workers.audit.launched import launches, purchases
from forerun.workers.audit.run import Run
from forerun.workers.report.figures import seconds, usd
from forerun.workers.report.lanes import outcomes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a call that a decision started, or of a guess that it was made on."""

    what: str
    how: str
    words: str

    @property
    def tone(self) -> str:
        """How its badge looks."""
        return _TONES.get(self.how, "")


_TONES = {"promoted": "good", "cut": "warn", "discarded": "warn", "failed": "bad"}


def fates_of(run: Run) -> Mapping[int, tuple[Fate, ...]]:
    """What became of the calls of each decision, by the identity of the decision."""
    outcomes = outcomes_of(run)
    found: dict[int, list[Fate]] = {}
    for launch in (*launches(run), *purchases(run)):
        if launch.decided is not None:
            fate = _fate(launch.call.node, outcomes.get(launch.call.id))
            found.setdefault(id(launch.decided.decision), []).append(fate)
    tested = {guess.guess: guess for _, guess in run.of(GuessTested)}
    for _, decision in run.of(Decision):
        if decision.verdict is Verdict.HOLD and decision.calls:
            found[id(decision)] = [_guess(a, tested.get(a.guess)) for a in decision.assumptions]
    return {key: tuple(fates) for key, fates in found.items()}


def _fate(node: str, outcome: Outcome | Bought | None) -> Fate:
    if outcome is None:
        return Fate(what=node, how="open", words="its end is not in the history")
    if isinstance(outcome, Bought):
        paid = f"{usd(outcome.best_usd)} spent on asking"
        return Fate(what=node, how=outcome.end, words=paid)
    parts = [seconds(outcome.seconds) if outcome.seconds is not None else ""]
    if outcome.outcome == "cut" and outcome.expected_tokens:
        parts.append(f"{outcome.delivered_tokens} of {outcome.expected_tokens} tokens")
    if outcome.outcome == "promoted":
        parts.append(usd(outcome.best_usd))
    else:
        parts += [f"{usd(outcome.wasted_usd)} wasted ({_basis(outcome)})", outcome.reason]
    return Fate(what=node, how=outcome.outcome, words=" · ".join(part for part in parts if part))


def _basis(outcome: Outcome) -> str:
    low, high = outcome.low_usd, outcome.high_usd
    if low is None or high is None or low == high:
        return outcome.basis.replace("_", " ")
    return f"{outcome.basis.replace('_', ' ')}, between {usd(low)} and {usd(high)}"


def _guess(assumption: Assumption, tested: GuessTested | None) -> Fate:
    if tested is None or tested.actual_sha256 is None:
        return Fate(what=assumption.label, how="untested", words="it never met an answer")
    how = "right" if tested.right else "wrong"
    return Fate(what=assumption.label, how=how, words=f"the guess was {how}; nothing was bet on it")
