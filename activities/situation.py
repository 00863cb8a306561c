"""A decision point as the rule sees it: steps, placed speculations, and bets with their stakes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from forerun.activities.appraisal import Appraisal
from forerun.activities.decision_request import (
    BetView,
    DecideRequest,
    NodeView,
    Phase,
    PurchaseView,
    SpeculationView,
)
from forerun.speculation.beliefs import joint
from forerun.speculation.bet import Assumption, Bet, exclusive
from forerun.speculation.board import Placed, Situation
from forerun.speculation.estimates import Estimate
from forerun.speculation.makespan import Ahead, Step


def situation_of(request: DecideRequest, appraisal: Appraisal) -> Situation:
    """All that a batch is decided from, by the estimates and prices of `appraisal`."""
    expected = appraisal.expected
    return Situation(
        at=request.at.isoformat(),
        policy=request.policy,
        funds_usd=request.funds_usd,
        network={name: _step(view, expected.get(name)) for name, view in request.nodes.items()},
        placed=tuple(_placed(view, expected[view.node]) for view in request.placed),
        bets=tuple(_bet(view, appraisal) for view in request.bets),
        purchases=tuple(_purchase(view, appraisal) for view in request.purchases),
        live=_live(request.placed, appraisal),
        implications=request.implications,
        held_back=request.held_back,
    )


def _step(view: NodeView, expected: Estimate | None) -> Step:
    ms = expected.ms if expected else 0
    if view.phase is Phase.RUNNING:
        return Step(upstream=view.upstream, ms=max(ms - view.elapsed_ms, 0), started=True)
    return Step(upstream=view.upstream, ms=ms)


def _placed(view: SpeculationView, expected: Estimate) -> Placed:
    left_ms = 0 if view.done else max(expected.ms - view.elapsed_ms, 0)
    assumed = tuple(assumption.node for assumption in view.assumptions)
    return Placed(
        fingerprint=view.fingerprint,
        guesses=_guesses(view),
        ahead=Ahead(node=view.node, ms=left_ms, assumed=assumed),
    )


def _bet(view: BetView, appraisal: Appraisal) -> Bet:
    return Bet(
        question=view.question,
        assumptions=view.assumptions,
        alternatives=view.alternatives,
        conditions=view.conditions,
        calls=tuple(appraisal.stake(call) for call in view.calls),
        refused=view.refused,
        skipped=view.skipped,
    )


def _purchase(view: PurchaseView, appraisal: Appraisal) -> Bet:
    """What could be started on an answer, as a bet that waits for it."""
    return Bet(
        question=view.question,
        assumptions=(view.assumption,),
        conditions=view.conditions,
        calls=tuple(appraisal.stake(call) for call in view.calls),
        refused=view.refused,
        skipped=view.skipped,
        purchase=appraisal.purchase(view),
    )


def _live(placed: Sequence[SpeculationView], appraisal: Appraisal) -> tuple[Bet, ...]:
    """The bets under way: what is left of their calls, each under its likeliest assumptions."""
    ways: dict[tuple[str, str], list[SpeculationView]] = {}
    for view in placed:
        if view.assumptions and not view.done:
            ways.setdefault((view.node, view.fingerprint), []).append(view)
    bets: dict[tuple[str, ...], list[list[SpeculationView]]] = {}
    for views in ways.values():
        views.sort(key=_p, reverse=True)
        bets.setdefault(_guesses(views[0]), []).append(views)
    return tuple(
        Bet(
            question="keep?",
            assumptions=calls[0][0].assumptions,
            alternatives=_alternatives(calls),
            conditions=(),
            calls=tuple(appraisal.left(views[0]) for views in calls),
        )
        for calls in bets.values()
    )


def _alternatives(calls: Sequence[Sequence[SpeculationView]]) -> tuple[tuple[Assumption, ...], ...]:
    """Further ways in which all of these calls are right, of which no two can both hold."""
    by_guesses = {_guesses(view): view.assumptions for view in calls[0]}
    shared = set(by_guesses).intersection(*({_guesses(v) for v in views} for views in calls[1:]))
    ways = exclusive(way for way in by_guesses if way in shared)
    return tuple(by_guesses[way] for way in ways[1:])


def _guesses(view: SpeculationView) -> tuple[str, ...]:
    return tuple(assumption.guess for assumption in view.assumptions)


def _p(view: SpeculationView) -> Decimal:
    return joint([assumption.belief.mean for assumption in view.assumptions])
