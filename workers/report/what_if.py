"""What if alpha had been another: what would have been bet on, and what would that have earned.

The law: everything is taken from the records. A decision keeps its P, L, C, lambda and the funds that
were left; only alpha is another, and the verdict is worked out by the very checks of the audit.
Whether a bet was right is known where its guesses met their answers, launched or held.

What this cannot know: a guess that was never tested (its bet is left out, and counted); what other
bets, placed or not, would have made of L and of the funds; what a cheaper model that was not asked
would have said (purchases are left out). Dollars and seconds are those expected when it was decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from forerun.speculation.decision import Decision
from forerun.speculation.quantities import ZERO, number
from forerun.speculation.rule import Verdict, worth
from forerun.workers.audit.laws.figures import HINDRANCES, hindered
from forerun.workers.report.bets import gain, spent_anyway

ALPHAS = tuple(number(tenth) / 10 for tenth in range(11))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wager:
    """One bet of one run: its decisions in their order, and whether it was right, if that is known.

    It counts once, with the figures of the first decision that places it: those of a later round
    are about a part of it.
    """

    decisions: tuple[Decision, ...]
    right: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What one alpha would have come to. `alpha` is None for those that were in force.

    Of those `placed`, `unknown` many have no known end; `seconds` and `gain_usd` are what the right
    ones save and what that is worth, `loss_usd` is what the wrong ones waste. `missed` counts the
    bets that were right and not placed.
    """

    alpha: Decimal | None
    placed: int
    held: int
    right: int
    wrong: int
    unknown: int
    missed: int
    seconds: Decimal
    gain_usd: Decimal
    loss_usd: Decimal

    @property
    def net_usd(self) -> Decimal:
        """What it earns."""
        return self.gain_usd - self.loss_usd


def verdict_at(decision: Decision, alpha: Decimal) -> Verdict:
    """What the rule says with another alpha, all else as recorded.

    A hold for any other reason than the figures stays one: a cap, a refusal, a rate limit.
    """
    if decision.verdict is Verdict.HOLD and decision.reason.partition(":")[0] not in HINDRANCES:
        return Verdict.HOLD
    if hindered(_with(decision, alpha)):
        return Verdict.HOLD
    return Verdict.BUY if decision.purchase else Verdict.LAUNCH


def outlook(wagers: Sequence[Wager], alpha: Decimal | None) -> Outlook:
    """What `alpha`, or None for each decision its own, would have come to."""
    placed = [(wager, _placing(wager, alpha)) for wager in wagers]
    taken = [(wager, decision) for wager, decision in placed if decision is not None]
    right = [decision for wager, decision in taken if wager.right]
    wrong = [decision for wager, decision in taken if wager.right is False]
    return Outlook(
        alpha=alpha,
        placed=len(taken),
        held=len(placed) - len(taken),
        right=len(right),
        wrong=len(wrong),
        unknown=len(taken) - len(right) - len(wrong),
        missed=sum(decision is None and wager.right is True for wager, decision in placed),
        seconds=sum((decision.seconds_saved for decision in right), ZERO),
        gain_usd=sum((gain(decision) for decision in right), ZERO),
        loss_usd=sum((decision.cost_usd or ZERO for decision in wrong), ZERO),
    )


def wagers(decisions: Iterable[Decision], tested: Mapping[str, bool]) -> Iterator[Wager]:
    """The bets of one run that alpha had a say in. `tested` says of guesses whether they were right.

    Without purchases, cuts of live bets, and bets with nothing to start.
    """
    by_bet: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.verdict is not Verdict.CUT and decision.purchase is None and decision.calls:
            by_bet.setdefault(decision.bet, []).append(decision)
    for found in by_bet.values():
        yield Wager(decisions=tuple(found), right=_right(found[0], tested))


def _right(decision: Decision, tested: Mapping[str, bool]) -> bool | None:
    """Whether one of its ways came true; None while that hangs on what nobody knows."""
    ways = [
        [tested.get(assumption.guess) for assumption in way]
        for way in (decision.assumptions, *decision.alternatives)
    ]
    if all(False in way for way in ways):
        return False
    # A node that may not have run at all is nothing that a guess tells of.
    certain = not decision.conditions
    return True if certain and any(all(way) for way in ways) else None


def _placing(wager: Wager, alpha: Decimal | None) -> Decision | None:
    """The first of its decisions that places it; None if it is held throughout."""
    for decision in wager.decisions:
        verdict = decision.verdict if alpha is None else verdict_at(decision, alpha)
        if verdict is Verdict.LAUNCH:
            return decision
    return None


def _with(decision: Decision, alpha: Decimal) -> Decision:
    if decision.cost_usd is None:
        return decision
    figures = worth(
        p=decision.p,
        seconds_saved=decision.seconds_saved,
        usd_per_second=decision.usd_per_second,
        cost_usd=decision.cost_usd,
        alpha=alpha,
        guess_usd=spent_anyway(decision),
    )
    return replace(decision, alpha=alpha, threshold_usd=figures.threshold_usd)
