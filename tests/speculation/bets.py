"""Bets over a small DAG: classify -> lookup -> draft, as in AutoReply."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from forerun.speculation.beliefs import stated
from forerun.speculation.bet import Assumption, Bet, Refusal, Stake
from forerun.speculation.board import Placed, Situation
from forerun.speculation.decision import Decision
from forerun.speculation.guess import GuessSource
from forerun.speculation.makespan import Network, Step
from forerun.speculation.policy import Policy

D = Decimal

NETWORK: Network = {
    "classify": Step(upstream=(), ms=1200, started=True),
    "lookup": Step(upstream=("classify",), ms=400),
    "draft": Step(upstream=("classify", "lookup"), ms=4000),
}


def assumption(node: str, value: str = "x", p: str = "0.6") -> Assumption:
    """A guess for a node, with the belief that the spec states."""
    return Assumption(
        guess=f"{node}@{value}",
        node=node,
        label=f"{node}={value}",
        source=GuessSource.VALUE,
        value_sha256=value,
        belief=stated(D(p)),
    )


def stake(
    node: str,
    ms: int,
    *,
    usd: tuple[str, str] | None = ("0.001", "0.004"),
    waits_for: tuple[str, ...] = (),
    whole_output: bool = False,
) -> Stake:
    """A priced call; without a price where `usd` is None."""
    return Stake(
        node=node,
        operation="openai:sim-mid",
        fingerprint=None if waits_for else f"fp-{node}",
        waits_for=waits_for,
        ms=ms,
        input_tokens=100,
        output_tokens=100,
        estimate_basis="spec",
        input_usd=D(usd[0]) if usd else None,
        output_usd=D(usd[1]) if usd else None,
        worst_usd=D("0.02") if usd else None,
        rates=None,
        whole_output=whole_output,
    )


def bet(*calls: Stake, p: str = "0.6", value: str = "x", refused: tuple[Refusal, ...] = ()) -> Bet:
    """A bet on the output of classify."""
    return Bet(
        question=f"{value}?",
        assumptions=(assumption("classify", value, p),),
        conditions=(),
        calls=calls,
        refused=refused,
    )


def whole(p: str = "0.6", value: str = "x") -> Bet:
    """The lookup, and the draft that waits for its result."""
    return bet(
        stake("lookup", 400, usd=("0", "0")),
        stake("draft", 4000, waits_for=("lookup",)),
        p=p,
        value=value,
    )


def situation(
    *bets: Bet,
    policy: Policy | None = None,
    placed: Sequence[Placed] = (),
    funds: str = "0.5",
    held_back: dict[str, str] | None = None,
) -> Situation:
    """A decision point on the AutoReply network."""
    return Situation(
        at="2026-11-21T00:00:00+00:00",
        policy=policy or Policy(),
        funds_usd=D(funds),
        network=NETWORK,
        placed=tuple(placed),
        bets=bets,
        held_back=held_back or {},
    )


def only(decisions: tuple[Decision, ...]) -> Decision:
    """The one decision of a batch."""
    (decision,) = decisions
    return decision
