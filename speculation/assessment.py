"""What a bet saves and what it risks, on top of the bets placed before it.

L is a difference of two makespans, C a sum over calls of the part of each that would be generated
before the bet is refuted. Both are taken in the world that they are about: L where the bet is right,
C until it is found wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.bet import Bet, Stake
from forerun.speculation.board import Board, Placed
from forerun.speculation.makespan import Ahead, Leg, differing
from forerun.speculation.needless import needless
from forerun.speculation.outlook import Outlook
from forerun.speculation.quantities import FIGURES, ONE, ZERO

SHARE_PLACES = Decimal("0.0001")

CALLS_PER_RECORD = 64
"""As many as one workflow task can launch, and as a marker has room for beside others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One call's part in the loss: the share of its output generated until the refutation."""

    stake: Stake
    share: Decimal
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """The calls of a bet that are too many for one record: launched in later rounds, if it is.

    They are judged with the others: often only all of a wide fan-out together save any time.
    """

    calls: int = 0
    cost_usd: Decimal | None = ZERO
    worst_usd: Decimal | None = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What a bet saves and what it risks, given the bets placed before it.

    `aheads` are all its calls laid out in time, by node; `dropped` those that are left out.
    """

    exposures: tuple[Exposure, ...]
    later: Later
    aheads: dict[str, Ahead]
    dropped: tuple[str, ...]
    saved_ms: int
    """L: M(S) - M(S + this bet), in milliseconds."""

    cost_usd: Decimal | None
    """C: dollars wasted if the bet is wrong; None while any of its calls is unpriced."""
    worst_usd: Decimal | None
    """R: what a purchase and the launches, of now and of the rounds after, must reserve."""


def assess(bet: Bet, board: Board) -> Assessment:
    """Judge `bet` on top of the placed speculations that can be right together with it.

    Calls that do not lower L are dropped (design 1): a bet should not pay for a call that waits for a
    longer one anyway.
    """
    with board.beside(bet) as outlook:
        without_ms = outlook.makespan_ms
        aheads = _aheads(bet, outlook)
        exposures = _exposures(bet, aheads, outlook)
        outlook.add(aheads.values())
        saved_ms = without_ms - outlook.makespan_ms
        dropped: frozenset[str] = frozenset()
        if saved_ms > 0:
            doubtful = [e for e in exposures if not outlook.needs(aheads[e.stake.node])]
            dearest_first = [e.stake.node for e in sorted(doubtful, key=_dearest_first)]
            dropped = needless(bet, dearest_first, aheads, outlook)
    now, later = _rounds([e for e in exposures if e.stake.node not in dropped])
    return Assessment(
        exposures=now,
        later=later,
        aheads=aheads,
        dropped=tuple(stake.node for stake in bet.calls if stake.node in dropped),
        saved_ms=saved_ms,
        cost_usd=total([*(exposure.cost_usd for exposure in now), later.cost_usd]),
        worst_usd=total([*_worst(now), later.worst_usd, _price(bet)]),
    )


def paths(
    bet: Bet, assessment: Assessment, board: Board
) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    """The critical paths whose lengths differ by L, without the bet and with it, as far as they do.

    The board must be as it was when the bet was assessed.
    """
    kept = [a for node, a in assessment.aheads.items() if node not in assessment.dropped]
    with board.beside(bet) as outlook:
        without = outlook.critical_path()
        outlook.add(kept)
        return differing(without, outlook.critical_path())


def placed_by(bet: Bet, assessment: Assessment) -> list[Placed]:
    """What launching the bet adds to the placed ones: the calls that start now.

    A call that waits for a result is judged again when the result is there. To count it as placed
    would let it stand in the way of a guess that starts the same call at once: in a chain of guesses
    two bets would then each seem to save nothing without the other.
    """
    stakes = [exposure.stake for exposure in assessment.exposures if exposure.stake.launches]
    return [
        Placed(
            fingerprint=stake.fingerprint,
            guesses=bet.guesses,
            ahead=assessment.aheads[stake.node],
        )
        for stake in stakes
    ]


def share_of(part_ms: int, whole_ms: int) -> Decimal:
    """`part_ms` of `whole_ms` as a share with four decimals; all of nothing is everything."""
    if not whole_ms:
        return ONE
    return FIGURES.divide(part_ms, whole_ms).quantize(SHARE_PLACES)


def _aheads(bet: Bet, outlook: Outlook) -> dict[str, Ahead]:
    """The calls of a bet laid out in time; a result of several speculations is there at the first."""
    assumed = tuple(assumption.node for assumption in bet.assumptions)
    answer = _answer(bet)
    own: dict[str, Ahead] = {}
    for stake in bet.calls:
        after = answer
        if stake.waits_for:
            results = [own.get(node) or outlook.first_ahead_of(node) for node in stake.waits_for]
            after = max(filter(None, [*results, answer]), key=_end, default=None)
        own[stake.node] = Ahead(node=stake.node, ms=stake.ms, assumed=assumed, after=after)
    return own


def _answer(bet: Bet) -> Ahead | None:
    """The call that all others of the bet wait for, if their guess is still to be bought."""
    if bet.purchase is None:
        return None
    ms = int(bet.purchase.seconds.scaleb(3))
    return Ahead(node=bet.assumptions[0].guess, ms=ms, assumed=())


def _exposures(bet: Bet, aheads: Mapping[str, Ahead], without: Outlook) -> tuple[Exposure, ...]:
    refuted_ms = max(without.end_ms(assumption.node) for assumption in bet.assumptions)
    return tuple(
        _exposure(stake, aheads[stake.node].end_ms - stake.ms, refuted_ms) for stake in bet.calls
    )


def _exposure(stake: Stake, begins_ms: int, refuted_ms: int) -> Exposure:
    """Input in full and the output until the refutation; nothing if it would not have begun."""
    if begins_ms >= refuted_ms and not stake.launches:
        return Exposure(stake=stake, share=ZERO, cost_usd=ZERO)
    left_ms = max(refuted_ms - begins_ms, 0)
    whole = stake.whole_output or left_ms >= stake.ms
    share = ONE if whole else share_of(left_ms, stake.ms)
    if stake.input_usd is None or stake.output_usd is None:
        return Exposure(stake=stake, share=share, cost_usd=None)
    return Exposure(stake=stake, share=share, cost_usd=stake.input_usd + share * stake.output_usd)


def _rounds(kept: Sequence[Exposure]) -> tuple[tuple[Exposure, ...], Later]:
    """Those of this record, the ones that start first, and what the others come to."""
    if len(kept) <= CALLS_PER_RECORD:
        return tuple(kept), Later()
    first_ones = sorted(kept, key=lambda exposure: not exposure.stake.starts)
    later = first_ones[CALLS_PER_RECORD:]
    return tuple(first_ones[:CALLS_PER_RECORD]), Later(
        calls=len(later),
        cost_usd=total([exposure.cost_usd for exposure in later]),
        worst_usd=total(_worst(later)),
    )


def _worst(exposures: Sequence[Exposure]) -> list[Decimal | None]:
    return [e.stake.worst_usd for e in exposures if e.stake.starts]


def _price(bet: Bet) -> Decimal | None:
    return bet.purchase.worst_usd if bet.purchase else ZERO


def _dearest_first(exposure: Exposure) -> tuple[Decimal, str, str]:
    return -(exposure.cost_usd or ZERO), exposure.stake.fingerprint or "", exposure.stake.node


def total(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum; None while one of the amounts is unknown."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if len(known) == len(amounts) else None


def _end(ahead: Ahead) -> int:
    return ahead.end_ms
