"""Offers: guesses that a cheaper model would make of classify, and what could start on them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from forerun.speculation.beliefs import stated
from forerun.speculation.bet import Assumption, Bet, Stake
from forerun.speculation.board import Situation
from forerun.speculation.buying import Purchase
from forerun.speculation.choice import decide
from forerun.speculation.decision import Decision
from forerun.speculation.guess import GuessSource
from forerun.speculation.makespan import Step
from forerun.speculation.policy import Policy

D = Decimal
SMALL = "openai:sim-small"


def assumption(guess: str = f"classify@?{SMALL}", p: str = "0.6") -> Assumption:
    """A guess for classify, bought from the small model unless another is named."""
    return Assumption(
        guess=guess,
        node="classify",
        label=f"classify=?{SMALL}",
        source=GuessSource.MODEL,
        value_sha256="?",
        belief=stated(D(p)),
    )


def stake(
    node: str,
    ms: int,
    *waits_for: str,
    usd: tuple[str, str] | None = ("0.001", "0.004"),
    fingerprint: str | None = None,
) -> Stake:
    """A call whose arguments are not known yet."""
    return Stake(
        node=node,
        operation="anthropic:sim-mid",
        fingerprint=fingerprint,
        waits_for=waits_for,
        ms=ms,
        input_tokens=100,
        output_tokens=100,
        estimate_basis="spec",
        input_usd=D(usd[0]) if usd else None,
        output_usd=D(usd[1]) if usd else None,
        worst_usd=D("0.02") if usd else None,
        rates=None,
        whole_output=False,
    )


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


def offer(*calls: Stake, purchase: Purchase | None = None, p: str = "0.6") -> Bet:
    """What could start on the answer; by default the draft."""
    return Bet(
        question="buy?",
        assumptions=(assumption(p=p),),
        conditions=(),
        calls=calls or (stake("draft", 4000),),
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


def only(asked: Situation) -> Decision:
    """The one decision of a batch."""
    (decision,) = decide(asked)
    return decision
