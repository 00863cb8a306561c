"""A bet: one set of assumptions with every call that hangs on exactly that set.

Its calls are right or wrong together, so they are judged together: one P, one L, one C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from forerun.speculation.beliefs import Beta, joint
from forerun.speculation.guess import GuessSource
from forerun.speculation.makespan import Ahead, Forecast, Leg, Network, forecast
from forerun.speculation.pricing import Rates
from forerun.speculation.quantities import FIGURES, ONE, ZERO

SHARE_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A guess that a bet relies on, with the belief in it and not with its value."""

    guess: str
    node: str
    label: str
    source: GuessSource
    value_sha256: str
    belief: Beta


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An ancestor's `when` that is still undecided, and the chance that it comes out true."""

    node: str
    p: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """One call of a bet, estimated and priced.

    `fingerprint` is None for a call that still waits for the results of the speculations on
    `waits_for` (nodes of this bet, or of bets already placed); only the others are launched.
    `input_usd` and `output_usd` are the expected dollars of the whole call, None where unpriced;
    `worst_usd` is what its launch must reserve.
    """

    node: str
    operation: str
    fingerprint: str | None
    waits_for: tuple[str, ...]
    ms: int
    input_tokens: int
    output_tokens: int
    estimate_basis: str
    input_usd: Decimal | None
    output_usd: Decimal | None
    worst_usd: Decimal | None
    rates: Rates | None
    whole_output: bool

    @property
    def launches(self) -> bool:
        """Whether it can be launched now."""
        return self.fingerprint is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A node that the bet could reach but must not run, and why."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bet:
    """Assumptions, undecided conditions, and calls, each after those it waits for.

    `question` names the assumptions and the calls that could be launched on them: a question that
    was answered with hold is not recorded twice. `skipped` are the nodes whose `when` is false if
    the assumptions hold: what a bet saves is counted in the world where it is right.
    """

    question: str
    assumptions: tuple[Assumption, ...]
    conditions: tuple[Condition, ...]
    calls: tuple[Stake, ...]
    refused: tuple[Refusal, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The assumption set, in words: the same set is the same bet."""
        return " & ".join(assumption.guess for assumption in self.assumptions)

    def p(self, bound: Decimal | None) -> Decimal:
        """The chance that its calls are claimed; with `bound`, on lower credible bounds."""
        beliefs = [
            a.belief.mean if bound is None else a.belief.lower_bound(bound)
            for a in self.assumptions
        ]
        return joint([*beliefs, *(condition.p for condition in self.conditions)])

    def fits(self, guesses: Sequence[str]) -> bool:
        """Whether it can be right together with `guesses`: no two of them are for one node."""
        mine = {a.node: a.guess for a in self.assumptions}
        return all(mine.get(_node_of(guess), guess) == guess for guess in guesses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A speculation that is under way or done, and the guesses it hangs on."""

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


def placed_by(bet: Bet, assessment: Assessment, placed: Sequence[Placed]) -> list[Placed]:
    """What launching the bet adds to the placed ones."""
    guesses = tuple(a.guess for a in bet.assumptions)
    others = [p.ahead for p in placed if bet.fits(p.guesses)]
    stakes = [exposure.stake for exposure in assessment.exposures]
    return [Placed(guesses=guesses, ahead=ahead) for ahead in _aheads(bet, stakes, others)]


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
    share = ONE if whole else FIGURES.divide(Decimal(left_ms), Decimal(stake.ms))
    share = share.quantize(SHARE_PLACES)
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


def _node_of(guess: str) -> str:
    return guess.partition("@")[0]
