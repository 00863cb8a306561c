"""Offers: guesses that a cheaper model would make of classify, and what could start on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from forerun.speculation.bet import Assumption, Bet, Stake
from forerun.speculation.board import Situation
from forerun.speculation.buying import Purchase
from forerun.speculation.guess import GuessSource
from forerun.speculation.makespan import Step
from forerun.speculation.policy import Policy
from tests.speculation.bets import assumption, stake

D = Decimal
SMALL = "openai:sim-small"


def bought(operation: str = SMALL, p: str = "0.6") -> Assumption:
    """A guess for classify that a model would be asked for."""
    return replace(assumption("classify", f"?{operation}", p), source=GuessSource.MODEL)


def follow_up(
    node: str, ms: int, *waits_for: str, usd: tuple[str, str] | None = ("0.001", "0.004")
) -> Stake:
    """A call whose arguments are not known before the answer is."""
    known = stake(node, ms, usd=usd, waits_for=waits_for)
    return replace(known, operation="anthropic:sim-mid", fingerprint=None)


def answer(ms: int = 400, usd: str | None = "0.0002", worst: str | None = "0.001") -> Purchase:
    """What the small model takes."""
    return Purchase(
        operation=SMALL,
        k=1,
        fingerprint="fp-answer",
        seconds=D(ms).scaleb(-3),
        input_tokens=100,
        output_tokens=5,
        estimate_basis="public",
        rates=None,
        cost_usd=None if usd is None else D(usd),
        worst_usd=None if worst is None else D(worst),
    )


def offer(*calls: Stake, purchase: Purchase | None = None) -> Bet:
    """What could start on the answer; by default the draft."""
    return Bet(
        question="buy?",
        assumptions=(bought(),),
        conditions=(),
        calls=calls or (follow_up("draft", 4000),),
        purchase=purchase or answer(),
    )


def situation(
    *purchases: Bet,
    left_ms: int = 1200,
    draft_ms: int = 4000,
    bets: Sequence[Bet] = (),
    funds: str = "0.5",
    policy: Policy | None = None,
    held_back: dict[str, str] | None = None,
) -> Situation:
    """The classification still runs for a while; draft reads it, and lookup too."""
    return Situation(
        at="2026-11-21T00:00:00+00:00",
        policy=policy or Policy(),
        funds_usd=D(funds),
        network={
            "classify": Step(upstream=(), ms=left_ms, started=True),
            "lookup": Step(upstream=("classify",), ms=0),
            "draft": Step(upstream=("classify", "lookup"), ms=draft_ms),
        },
        placed=(),
        bets=tuple(bets),
        purchases=purchases,
        held_back=held_back or {},
    )
