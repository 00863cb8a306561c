"""C and R of every decision again: tokens at the recorded rates, the share at risk, and their sums.

A live bet that is judged again counts only what is left of its calls; of these the record holds the
dollars and the rounded tokens, so they are checked against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from forerun.speculation.assessment import Exposure, total
from forerun.speculation.bet import Stake
from forerun.speculation.decision import Decision
from forerun.speculation.pricing import PER_MILLION, Rates, Usage, input_usd, output_usd
from forerun.speculation.quantities import FIGURES, ONE, ZERO
from forerun.speculation.rule import Verdict
from forerun.workers.audit.records import about
from forerun.workers.audit.run import Run
from forerun.workers.audit.violation import Violation, unless_equal, violation


def check(run: Run) -> Iterator[Violation]:
    """Each call's dollars, and what they add up to."""
    declared = {name: card.usd for name, card in run.cards.items()}
    for event_id, decision in run.of(Decision):
        for exposure in decision.calls:
            yield from _stake(event_id, decision, exposure.stake, declared)
            yield from _exposure(event_id, exposure)
        yield from _sums(event_id, decision)


def _stake(
    event_id: int, decision: Decision, stake: Stake, declared: dict[str, Decimal]
) -> Iterator[Violation]:
    """What the whole call is expected to cost, or what is left of it."""
    if decision.verdict is Verdict.CUT:
        yield from _left(event_id, stake)
    elif stake.rates is not None:
        usage = Usage(input_tokens=stake.input_tokens)
        paid = output_usd(stake.rates, stake.output_tokens)
        expected = input_usd(stake.rates, usage)
        yield from unless_equal(event_id, stake.node, "input_usd", expected, stake.input_usd)
        yield from unless_equal(event_id, stake.node, "output_usd", paid, stake.output_usd)
    elif stake.operation in declared:
        usd = declared[stake.operation]
        yield from unless_equal(event_id, stake.node, "input_usd", usd, stake.input_usd)
        yield from unless_equal(event_id, stake.node, "output_usd", ZERO, stake.output_usd)
    else:
        yield from unless_equal(event_id, stake.node, "input_usd", None, stake.input_usd)
        yield from unless_equal(event_id, stake.node, "output_usd", None, stake.output_usd)


def _left(event_id: int, stake: Stake) -> Iterator[Violation]:
    """What is left of a running call: no input, and output unless all of it is billed anyway."""
    yield from unless_equal(event_id, stake.node, "input_usd", ZERO, stake.input_usd)
    yield from unless_equal(event_id, stake.node, "input_tokens", 0, stake.input_tokens)
    if stake.output_usd and stake.rates is not None:
        tokens = _tokens(stake.rates, stake.output_usd)
        yield from unless_equal(event_id, stake.node, "output_tokens", tokens, stake.output_tokens)


def _tokens(rates: Rates, usd: Decimal) -> int | None:
    """How many output tokens so many dollars are, rounded as the record rounds them."""
    per_token = rates.output_usd_per_mtok.scaleb(PER_MILLION)
    return round(FIGURES.divide(usd, per_token)) if per_token else None


def _exposure(event_id: int, exposure: Exposure) -> Iterator[Violation]:
    """One call's part in C; nothing, if it would not have begun before the refutation."""
    stake, share = exposure.stake, exposure.share
    if not ZERO <= share <= ONE:
        yield violation(event_id, stake.node, "share", "from 0 to 1", share)
    begins = stake.launches or share != ZERO
    if stake.whole_output and begins:
        yield from unless_equal(event_id, stake.node, "share", ONE, share)
    if not begins:
        cost = ZERO
    elif stake.input_usd is None or stake.output_usd is None:
        cost = None
    else:
        cost = stake.input_usd + share * stake.output_usd
    yield from unless_equal(event_id, stake.node, "cost_usd", cost, exposure.cost_usd)


def _sums(event_id: int, decision: Decision) -> Iterator[Violation]:
    """C over all calls, R over those that are launched, the later rounds included in both."""
    later, node = decision.later, about(decision)
    costs = [exposure.cost_usd for exposure in decision.calls]
    yield from unless_equal(
        event_id, node, "cost_usd", total([*costs, later.cost_usd]), decision.cost_usd
    )
    stakes = [exposure.stake for exposure in decision.calls]
    worst = [stake.worst_usd for stake in stakes if stake.launches]
    yield from unless_equal(
        event_id, node, "worst_usd", total([*worst, later.worst_usd]), decision.worst_usd
    )
