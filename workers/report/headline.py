"""What a run comes to in one sentence and four figures."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.decision import Decision
from forerun.speculation.ledger import Ledger
from forerun.speculation.quantities import ZERO, number
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import Run, Turn
from forerun.workers.report.figures import (
    UNKNOWN,
    brief_usd,
    count,
    exact_usd,
    milliseconds,
    seconds,
    share,
)
from forerun.workers.report.told import Timing

NOTICEABLE_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure of the headline; `tone` is `good`, `bad` or empty."""

    name: str
    value: str
    note: str
    tone: str = ""


def sentence(told: Timing, ledger: Ledger) -> str:
    """Seconds and dollars in words."""
    spent = f"It spent {brief_usd(ledger.spent_usd)}"
    if ledger.unpriced_calls:
        spent += f" and what {count(ledger.unpriced_calls, 'call')} of unknown price cost"
    if ledger.wasted_usd:
        part = share(ledger.wasted_usd, ledger.spent_usd)
        spent += f", of which {brief_usd(ledger.wasted_usd)} ({part}) was wasted on speculation"
    if told.took is None or told.sequential is None or told.saved is None:
        return f"{spent}. How long it would have taken without speculation is unknown."
    took, without = seconds(told.took), seconds(told.sequential)
    if abs(told.saved) < NOTICEABLE_SECONDS:
        return f"It took {took}, as long as without speculation. {spent}."
    change = f"{seconds(abs(told.saved))} {'saved' if told.saved > 0 else 'lost'}"
    part = share(abs(told.saved), told.sequential)
    return (
        f"It took {took}; without speculation it would have taken {without}: "
        f"{change} ({part}). {spent}."
    )


def tiles(run: Run, told: Timing, ledger: Ledger) -> tuple[Tile, ...]:
    """The four figures."""
    ended = [f"{number} {ending.value}" for ending, number in ledger.endings.items() if number]
    none = "none has ended" if ledger.launched else "none was launched"
    return (
        _saved(told),
        Tile(name="Spent", value=brief_usd(ledger.spent_usd), note=_spent_on(ledger)),
        Tile(
            name="Wasted",
            value=brief_usd(ledger.wasted_usd),
            note=_return(told, usd_per_second(run)),
            tone="bad" if ledger.wasted_usd else "",
        ),
        Tile(
            name="Speculations",
            value=str(ledger.launched),
            note=", ".join(ended) or none,
        ),
    )


def dials(run: Run) -> str:
    """The policy that the run was started with, and whether it was changed."""
    if run.opening is None:
        return UNKNOWN
    policy = run.opening.policy
    start = (
        f"α {policy.alpha}, λ {exact_usd(policy.usd_per_second)} per second, "
        f"budget {exact_usd(policy.budget_usd)}"
    )
    return "; ".join([start, *(_turned(run, turn) for turn in run.turns)])


def _turned(run: Run, turn: Turn) -> str:
    changes = ", ".join(f"{dial} {value}" for dial, value in object_of(turn.update).items())
    return f"from {milliseconds(turn.at_ms - run.began_ms)} on {changes}"


def usd_per_second(run: Run) -> Decimal | None:
    """Lambda; None if somebody has turned that dial meanwhile."""
    rates = {decision.usd_per_second for _, decision in run.of(Decision)}
    if run.opening:
        rates.add(run.opening.policy.usd_per_second)
    return rates.pop() if len(rates) == 1 else None


def _saved(told: Timing) -> Tile:
    if told.saved is None:
        return Tile(name="Time saved", value=UNKNOWN, note="the history does not say")
    part = share(told.saved, told.sequential or 0)
    of = f"of {seconds(told.sequential)} without speculation"
    if abs(told.saved) < NOTICEABLE_SECONDS:
        return Tile(name="Time saved", value="none", note=of)
    tone = "good" if told.saved > 0 else "bad"
    return Tile(
        name="Time saved", value=seconds(told.saved), note=f"{part} {of}" if part else of, tone=tone
    )


def _spent_on(ledger: Ledger) -> str:
    if ledger.unpriced_calls:
        return f"and {count(ledger.unpriced_calls, 'call')} of unknown price"
    guesses = f"{brief_usd(ledger.guess_usd)} of it on guesses"
    return guesses if ledger.guess_usd else "the price of every call is known"


def _return(told: Timing, worth: Decimal | None) -> str:
    """What the saved seconds are worth at the run's own rate."""
    saved = number(told.saved or 0)
    if worth is None or saved <= ZERO:
        return "on speculation that was not promoted"
    return f"the time saved is worth {brief_usd(saved * worth)}"
