"""What a bet saves and what it risks, on top of the bets placed before it.

L is a difference of two makespans, C a sum over calls of the part of each that would be generated
before the bet is refuted. Both are taken in the world that they are about: L where the bet is right,
C until it is found wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from forerun.speculation.bet import Bet, Stake, exclude
from forerun.speculation.makespan import Ahead, Forecast, Leg, Network, forecast
from forerun.speculation.needless import needless
from forerun.speculation.quantities import FIGURES, ONE, ZERO

SHARE_PLACES = Decimal("0.0001")

CALLS_PER_RECORD = 64
"""As many as one workflow task can launch, and as a marker has room for beside others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One way in which a speculation that is under way or done may be right.

    A call that several sets of guesses lead to is placed once for each, under one fingerprint.
    """

    fingerprint: str | None
    guesses: tuple[str, ...]
    ahead: Ahead


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
    """What a bet saves and what it risks, given the bets placed before it."""

    exposures: tuple[Exposure, ...]
    later: Later
    dropped: tuple[str, ...]
    without: Forecast
    with_bet: Forecast

    @property
    def saved_ms(self) -> int:
        """L: M(S) - M(S + this bet), in milliseconds."""
        return self.without.makespan_ms - self.with_bet.makespan_ms

    @property
    def cost_usd(self) -> Decimal | None:
        """C: dollars wasted if the bet is wrong; None while any of its calls is unpriced."""
        return total([*(exposure.cost_usd for exposure in self.exposures), self.later.cost_usd])

    @property
    def worst_usd(self) -> Decimal | None:
        """R: what the launches of now and of the rounds after must reserve."""
        return total([*_worst(self.exposures), self.later.worst_usd])


def assess(bet: Bet, network: Network, placed: Sequence[Placed]) -> Assessment:
    """Judge `bet` on top of the `placed` speculations that can be right together with it.

    Calls that do not lower L are dropped (design 1): a bet should not pay for a call that waits for a
    longer one anyway.
    """
    network = _where_right(bet, network)
    others = [p.ahead for p in beside(bet, placed)]
    without = forecast(network, others)
    aheads = _aheads(bet, bet.calls, others)
    with_bet = forecast(network, [*others, *aheads])
    exposures = _exposures(bet, aheads, without)
    dropped: frozenset[str] = frozenset()
    if with_bet.makespan_ms < without.makespan_ms:
        dearest_first = [e.stake for e in sorted(exposures, key=_dearest_first)]
        dropped = needless(dearest_first, with_bet, aheads)
    if dropped:
        kept = [ahead for ahead in aheads if ahead.node not in dropped]
        with_bet = forecast(network, [*others, *kept])
    now, later = _rounds([e for e in exposures if e.stake.node not in dropped])
    return Assessment(
        exposures=now,
        later=later,
        dropped=tuple(stake.node for stake in bet.calls if stake.node in dropped),
        without=without,
        with_bet=with_bet,
    )


def beside(bet: Bet, placed: Sequence[Placed]) -> list[Placed]:
    """Those that can be right together with the bet: no two different guesses for one node."""
    mine = [assumption.guess for assumption in bet.assumptions]
    return [one for one in placed if not exclude(mine, one.guesses)]


def placed_by(bet: Bet, assessment: Assessment) -> list[Placed]:
    """What launching the bet adds to the placed ones: the calls that start now.

    A call that waits for a result is judged again when the result is there. To count it as placed
    would let it stand in the way of a guess that starts the same call at once: in a chain of guesses
    two bets would then each seem to save nothing without the other.
    """
    guesses = tuple(a.guess for a in bet.assumptions)
    stakes = [exposure.stake for exposure in assessment.exposures if exposure.stake.launches]
    return [
        Placed(fingerprint=stake.fingerprint, guesses=guesses, ahead=ahead)
        for stake, ahead in zip(stakes, _aheads(bet, stakes, ()), strict=True)
    ]


def share_of(part_ms: int, whole_ms: int) -> Decimal:
    """`part_ms` of `whole_ms` as a share with four decimals; all of nothing is everything."""
    if not whole_ms:
        return ONE
    return FIGURES.divide(Decimal(part_ms), Decimal(whole_ms)).quantize(SHARE_PLACES)


def _where_right(bet: Bet, network: Network) -> Network:
    """The network in which the bet is right: what it skips takes no time."""
    if not bet.skipped:
        return network
    skipped = (name for name in bet.skipped if name in network)
    return {**network, **{name: replace(network[name], ms=0) for name in skipped}}


def _aheads(bet: Bet, stakes: Sequence[Stake], others: Sequence[Ahead]) -> list[Ahead]:
    """The calls of a bet laid out in time; a result of several speculations is there at the first."""
    assumed = tuple(a.node for a in bet.assumptions)
    first: dict[str, Ahead] = {}
    for other in others:
        if other.node not in first or other.end_ms < first[other.node].end_ms:
            first[other.node] = other
    laid_out: list[Ahead] = []
    for stake in stakes:
        before = [first[node] for node in stake.waits_for if node in first]
        legs = max(before, key=_end).legs if before else ()
        ahead = Ahead(node=stake.node, legs=(*legs, Leg(stake.node, stake.ms)), assumed=assumed)
        first[stake.node] = ahead
        laid_out.append(ahead)
    return laid_out


def _exposures(bet: Bet, aheads: Sequence[Ahead], without: Forecast) -> tuple[Exposure, ...]:
    refuted_ms = max(without.ends.get(a.node, 0) for a in bet.assumptions)
    return tuple(
        _exposure(stake, ahead.end_ms - stake.ms, refuted_ms)
        for stake, ahead in zip(bet.calls, aheads, strict=True)
    )


def _exposure(stake: Stake, begins_ms: int, refuted_ms: int) -> Exposure:
    """Input in full and the output until the refutation; nothing if it would not have begun."""
    if not stake.launches and begins_ms >= refuted_ms:
        return Exposure(stake=stake, share=ZERO, cost_usd=ZERO)
    left_ms = max(refuted_ms - begins_ms, 0)
    whole = stake.whole_output or left_ms >= stake.ms
    share = ONE if whole else share_of(left_ms, stake.ms)
    if stake.input_usd is None or stake.output_usd is None:
        return Exposure(stake=stake, share=share, cost_usd=None)
    return Exposure(stake=stake, share=share, cost_usd=stake.input_usd + share * stake.output_usd)


def _rounds(kept: Sequence[Exposure]) -> tuple[tuple[Exposure, ...], Later]:
    """Those of this record, ready ones first, and what the others come to."""
    if len(kept) <= CALLS_PER_RECORD:
        return tuple(kept), Later()
    ready_first = sorted(kept, key=lambda exposure: not exposure.stake.launches)
    later = ready_first[CALLS_PER_RECORD:]
    return tuple(ready_first[:CALLS_PER_RECORD]), Later(
        calls=len(later),
        cost_usd=total([exposure.cost_usd for exposure in later]),
        worst_usd=total(_worst(later)),
    )


def _worst(exposures: Sequence[Exposure]) -> list[Decimal | None]:
    return [e.stake.worst_usd for e in exposures if e.stake.launches]


def _dearest_first(exposure: Exposure) -> tuple[Decimal, str, str]:
    return -(exposure.cost_usd or ZERO), exposure.stake.fingerprint or "", exposure.stake.node


def total(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum; None while one of the amounts is unknown."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if len(known) == len(amounts) else None


def _end(ahead: Ahead) -> int:
    return ahead.end_ms
