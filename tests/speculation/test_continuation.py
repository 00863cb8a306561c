"""Live bets, judged again: sunk costs are left out, and what no longer pays is cut."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from forerun.speculation.beliefs import stated
from forerun.speculation.bet import Assumption, Bet, Stake
from forerun.speculation.board import Placed, Situation
from forerun.speculation.choice import decide
from forerun.speculation.decision import Decision
from forerun.speculation.guess import GuessSource
from forerun.speculation.makespan import Ahead, Step
from forerun.speculation.policy import Policy
from forerun.speculation.rule import Verdict

D = Decimal


def live(*, left_ms: int = 3000, left_usd: str = "0.004", p: str = "0.6") -> Bet:
    """A draft on a guess of classify, with so much of it left."""
    return Bet(
        question="keep?",
        assumptions=(
            Assumption(
                guess="classify@x",
                node="classify",
                label="classify=x",
                source=GuessSource.VALUE,
                value_sha256="x",
                belief=stated(D(p)),
            ),
        ),
        conditions=(),
        calls=(
            Stake(
                node="draft",
                operation="openai:sim-mid",
                fingerprint="fp",
                waits_for=(),
                ms=left_ms,
                input_tokens=0,
                output_tokens=100,
                estimate_basis="spec",
                input_usd=D(0),
                output_usd=D(left_usd),
                worst_usd=D(0),
                rates=None,
                whole_output=False,
            ),
        ),
    )


def situation(bet: Bet, *, policy: Policy | None = None, beside_ms: int = 0) -> Situation:
    """The bet is under way; `beside_ms` is a branch that may hide what it saves."""
    left = bet.calls[0].ms
    return Situation(
        at="",
        policy=policy or Policy(),
        funds_usd=D(1),
        network={
            "classify": Step(upstream=(), ms=1000, started=True),
            "beside": Step(upstream=(), ms=beside_ms, started=True),
            "draft": Step(upstream=("classify",), ms=4000),
        },
        placed=(
            Placed(
                fingerprint="fp",
                guesses=("classify@x",),
                ahead=Ahead(node="draft", ms=left, assumed=("classify",)),
            ),
        ),
        bets=(),
        live=(bet,),
    )


def judged(bet: Bet, *, policy: Policy | None = None, beside_ms: int = 0) -> tuple[Decision, ...]:
    """The verdict on the bet."""
    return decide(situation(bet, policy=policy, beside_ms=beside_ms))


def test_a_bet_that_still_pays_is_kept() -> None:
    """Nothing is said about it."""
    assert judged(live()) == ()


def test_a_bet_that_saves_no_time_any_more_is_cut() -> None:
    """Another branch has become longer: more output would buy nothing."""
    (cut,) = judged(live(), beside_ms=60_000)

    assert (cut.verdict, cut.reason) == (Verdict.CUT, "saves no time any more")


def test_turning_the_dials_cuts_what_no_longer_pays() -> None:
    """With seconds worth next to nothing the same bet is cut."""
    (cut,) = judged(live(), policy=replace(Policy(), usd_per_second=D("0.0000001")))

    assert cut.reason == "EV of what is left below threshold"


def test_sunk_cost_does_not_count() -> None:
    """Done, or paid for in full: nothing more can be lost, so it is kept whatever it saves."""
    assert judged(live(left_usd="0"), beside_ms=60_000) == ()


def test_only_what_comes_before_the_refutation_is_at_risk() -> None:
    """Of 3 s that are left, 1 s is generated before classify ends."""
    (cut,) = judged(live(), beside_ms=60_000)

    assert cut.cost_usd == D("0.3333") * D("0.004")


def test_what_is_cut_no_longer_stands_in_the_way() -> None:
    """The other bets of the batch are judged without it: one that costs less takes its place."""
    asked = situation(live(), policy=replace(Policy(), usd_per_second=D("0.0001")))
    free = replace(live().calls[0], fingerprint="fp2", output_usd=D(0))

    cut, launch = decide(replace(asked, bets=(replace(live(), calls=(free,)),)))

    assert (cut.verdict, launch.verdict) == (Verdict.CUT, Verdict.LAUNCH)
    assert launch.seconds_saved == cut.seconds_saved == D(2)
