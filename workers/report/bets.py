"""Every decision as its reader wants it: the inequality with its own numbers, or the hold in words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.bet import Assumption
from forerun.speculation.decision import Decision
from forerun.speculation.makespan import Leg
from forerun.speculation.quantities import ONE, ZERO, text
from forerun.speculation.rule import Verdict
from forerun.workers.audit.run import Run
from forerun.workers.report.fates import Fate, fates_of
from forerun.workers.report.figures import (
    apart,
    count,
    exact_usd,
    milliseconds,
    probability,
    seconds,
    usd,
)

MOST_LEGS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of the rule: how it comes about, and what it comes to."""

    terms: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inequality:
    """`left >= right`, or `<`; with the digits that show the difference."""

    left: Side
    sign: str
    right: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One decision. `calls` are the nodes that it would start, `assuming` the guesses it rests on.

    `inequality` is None where there is nothing to compare: no time to save, or an unknown price.
    The verdict `follows` from it, or from something else.
    """

    number: int
    at_ms: int
    verdict: Verdict
    calls: str
    assuming: str
    why: str
    inequality: Inequality | None
    follows: bool
    notes: tuple[str, ...]
    fates: tuple[Fate, ...]


def rows(run: Run) -> list[Row]:
    """All decisions, in the order of their records."""
    fates = fates_of(run)
    return [
        _row(run, number, event_id, decision, fates.get(id(decision), ()))
        for number, (event_id, decision) in enumerate(run.of(Decision), start=1)
    ]


def inequality(decision: Decision) -> Inequality | None:
    """Both sides of the rule, written out; None while something in them is unpriced."""
    ev, bar, cost = decision.ev_usd, decision.threshold_usd, decision.cost_usd
    bought = decision.purchase.cost_usd if decision.purchase else None
    if ev is None or bar is None or cost is None:
        return None
    places = apart(ev, bar)
    terms = (
        f"{probability(decision.p)} × {seconds(decision.seconds_saved)} × "
        f"{_rate(decision)} − {probability(ONE - decision.p)} × {usd(cost)}"
    )
    risked = usd(cost)
    if bought is not None:
        terms += f" − {usd(bought)}"
        risked = f"({usd(cost)} + {usd(bought)})"
    return Inequality(
        left=Side(terms=terms, value=usd(ev, places)),
        sign="≥" if ev >= bar else "<",
        right=Side(terms=f"(1 − {text(decision.alpha)}) × {risked}", value=usd(bar, places)),
    )


def calls_in(decision: Decision) -> str:
    """The nodes that a bet would start, those first that start at once."""
    nodes = [exposure.stake.node for exposure in decision.calls]
    nodes += [f"{decision.later.calls} more"] if decision.later.calls else []
    return ", ".join(nodes or [refusal.node for refusal in decision.refused])


def assuming(decision: Decision) -> str:
    """What a bet takes to be right."""
    return " and ".join(assumption.label for assumption in decision.assumptions)


def why(decision: Decision) -> str:
    """The reason in a sentence."""
    reason = decision.reason
    name, _, detail = reason.partition(": ")
    words = {
        "EV reaches the threshold": "The expected value reaches the threshold.",
        "EV below threshold": "The expected value is below the threshold.",
        "EV of what is left below threshold": "What is left of it is no longer worth its dollars.",
        "saves no time": "L is 0: the rest of the run takes as long with it as without.",
        "saves no time any more": "L has become 0: it saves no time any more.",
        "cannot be right": "It cannot be right: P is 0.",
        "waits for a result": "Its calls need results that are not there yet; then it is judged again.",
        "budget": (
            f"It would have to reserve {usd(decision.worst_usd)}, and {usd(decision.funds_usd)} "
            "of the budget were left."
        ),
        "unpriced": f"{detail.capitalize()}, and unknown is never taken for 0.",
        "rate_limited": f"{detail} has just refused calls for their rate: nothing is bet on it.",
        "disclosure": f"Its arguments may not leave on a guess ({detail}).",
        "irreversible": "An irreversible effect is never run on a guess, whatever its EV.",
        "effect upstream": "It reads an effect that has not ended: nobody knows what that will do.",
    }
    return words.get(reason) or words.get(name) or _limit(reason) or f"{reason}."


def _limit(reason: str) -> str | None:
    """A hard cap of the policy: `max_breadth 3`."""
    name, _, number = reason.partition(" ")
    caps = {
        "max_breadth": f"At most {number} guesses for one node are bet on.",
        "max_depth": f"At most {number} assumptions are bet on at once.",
    }
    return caps.get(name)


def _row(run: Run, number: int, event_id: int, decision: Decision, fates: tuple[Fate, ...]) -> Row:
    return Row(
        number=number,
        at_ms=run.times.get(event_id, 0) - run.began_ms,
        verdict=decision.verdict,
        calls=calls_in(decision),
        assuming=assuming(decision),
        why=why(decision),
        inequality=inequality(decision) if decision.seconds_saved > 0 else None,
        follows=decision.reason.startswith("EV"),
        notes=tuple(_notes(decision)),
        fates=fates,
    )


def _notes(decision: Decision) -> list[str]:
    """Where the figures come from."""
    beliefs = [_belief(assumption) for assumption in decision.assumptions]
    notes = [f"P: {'; '.join(beliefs)}"] if beliefs else []
    if decision.alternatives:
        notes.append(f"P is summed with {count(len(decision.alternatives), 'alternative')}")
    notes += [f"P × {probability(c.p)}: {c.node} may not run" for c in decision.conditions]
    if decision.p_bound is not None:
        notes.append(f"P is the lower credible bound at {text(decision.p_bound)}")
    if decision.path_without:
        without, instead = _path(decision.path_without), _path(decision.path_with)
        change = f"{instead} takes the place of {without}" if instead else f"{without} falls away"
        notes.append(f"L: on the longest path, {change}")
    if decision.dropped:
        notes.append(f"left out, as they would save nothing: {', '.join(decision.dropped)}")
    refused = [f"{it.node} ({it.reason})" for it in decision.refused] if decision.calls else []
    if refused:
        notes.append(f"not run on a guess: {', '.join(refused)}")
    return notes


def _belief(assumption: Assumption) -> str:
    belief = assumption.belief
    shape = f"Beta({text(belief.alpha)}, {text(belief.beta)})"
    return f"{assumption.label} from {assumption.source}, {shape}, mean {probability(belief.mean)}"


def _path(legs: tuple[Leg, ...]) -> str:
    shown = [f"{leg.node} {milliseconds(leg.ms)}" for leg in legs[:MOST_LEGS]]
    more = [f"{len(legs) - MOST_LEGS} more"] if len(legs) > MOST_LEGS else []
    return " → ".join([*shown, *more])


def _rate(decision: Decision) -> str:
    return f"{exact_usd(decision.usd_per_second)}/s"


def gain(decision: Decision) -> Decimal:
    """What the bet is worth if it is right, in dollars: L times lambda."""
    return decision.seconds_saved * decision.usd_per_second


def spent_anyway(decision: Decision) -> Decimal:
    """What a guess that is still to be bought costs, right or wrong."""
    return (decision.purchase.cost_usd or ZERO) if decision.purchase else ZERO
