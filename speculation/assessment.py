"""What a bet saves and what it risks, on top of the bets placed before it.

L is a difference of two makespans, C a sum over calls of the part of each that would be generated
before the bet is refuted. Both are taken in the world that they are about: L where the bet is right,
C until it is found wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from forerun.speculation.bet import Bet, Stake
from forerun.speculation.makespan import Ahead, Forecast, Leg, Network, forecast
from forerun.speculation.quantities import FIGURES, ONE, ZERO

SHARE_PLACES = Decimal("0.0001")


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
class Assessment:
    """What a bet saves and what it risks, given the bets placed before it."""

    exposures: tuple[Exposure, ...]
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
        return _total([exposure.cost_usd for exposure in self.exposures])

    @property
    def worst_usd(self) -> Decimal | None:
        """R: what the launches of now must reserve."""
        return _total([e.stake.worst_usd for e in self.exposures if e.stake.launches])


def assess(bet: Bet, network: Network, placed: Sequence[Placed]) -> Assessment:
    """Judge `bet` on top of the `placed` speculations that can be right together with it.

    Calls that do not lower L are dropped in one pass, dearest first, each together with what waits
    for its result (design 1): a bet should not pay for a call that waits for a longer one anyway.
    """
    network = _where_right(bet, network)
    others = [p.ahead for p in placed if bet.fits(p.guesses)]
    without = forecast(network, others)
    exposed = _exposures(bet, bet.calls, others, without)
    kept, dropped = list(bet.calls), list[str]()
    best = forecast(network, [*others, *_aheads(bet, kept, others)])
    saves = best.makespan_ms < without.makespan_ms
    for exposure in sorted(exposed, key=_dearest_first) if saves else ():
        if exposure.stake not in kept:
            continue
        fewer = _without(kept, exposure.stake)
        tried = forecast(network, [*others, *_aheads(bet, fewer, others)])
        if tried.makespan_ms <= best.makespan_ms:
            dropped += [stake.node for stake in kept if stake not in fewer]
            kept, best = fewer, tried
    return Assessment(
        exposures=_exposures(bet, kept, others, without),
        dropped=tuple(dropped),
        without=without,
        with_bet=best,
    )


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
    return {n: replace(s, ms=0) if n in bet.skipped else s for n, s in network.items()}


def _aheads(bet: Bet, stakes: Sequence[Stake], others: Sequence[Ahead]) -> list[Ahead]:
    """The calls of a bet laid out in time; a result of several speculations is there at the first."""
    assumed = tuple(a.node for a in bet.assumptions)
    first: dict[str, tuple[Leg, ...]] = {}
    for other in others:
        if other.node not in first or other.end_ms < sum(leg.ms for leg in first[other.node]):
            first[other.node] = other.legs
    laid_out: list[Ahead] = []
    for stake in stakes:
        before = max((first[n] for n in stake.waits_for if n in first), key=_length, default=())
        first[stake.node] = (*before, Leg(stake.node, stake.ms))
        laid_out.append(Ahead(node=stake.node, legs=first[stake.node], assumed=assumed))
    return laid_out


def _exposures(
    bet: Bet, stakes: Sequence[Stake], others: Sequence[Ahead], without: Forecast
) -> tuple[Exposure, ...]:
    refuted_ms = max(without.ends[a.node] for a in bet.assumptions)
    return tuple(
        _exposure(stake, ahead.end_ms - stake.ms, refuted_ms)
        for stake, ahead in zip(stakes, _aheads(bet, stakes, others), strict=True)
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


def _without(stakes: Sequence[Stake], gone: Stake) -> list[Stake]:
    """`stakes` less `gone` and, since each comes after those it waits for, all that hang on it."""
    lost = {gone.node}
    kept: list[Stake] = []
    for stake in stakes:
        if stake.node in lost or lost.intersection(stake.waits_for):
            lost.add(stake.node)
        else:
            kept.append(stake)
    return kept


def _dearest_first(exposure: Exposure) -> tuple[Decimal, str, str]:
    return -(exposure.cost_usd or ZERO), exposure.stake.fingerprint or "", exposure.stake.node


def _total(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if len(known) == len(amounts) else None


def _length(legs: tuple[Leg, ...]) -> int:
    return sum(leg.ms for leg in legs)
