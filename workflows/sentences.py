"""What people read in the Temporal UI: one line per decision, launch and outcome.

The summary of a local activity is fixed when it is scheduled, before its verdict exists. So the
decision's own line asks the question; the answer with its dollars stands on the launched activity
and, for every bet, in the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.decision_request import BetView, SettleRequest
    from forerun.activities.wording import Pair
    from forerun.speculation.quantities import dollars, number
    from forerun.speculation.record import Bought, GuessCompared, Outcome
    from forerun.speculation.table import Ending

LENGTH = 200


def decision_question(bets: Sequence[BetView]) -> str:
    """`bet? draft, lookup <- classify="billing"`, and how many more there are."""
    if not bets:
        return "is what runs ahead still worth it?"
    first = bets[0]
    calls = ", ".join(call.node for call in first.calls) or _refused(first)
    assumed = " & ".join(a.label for a in first.assumptions)
    more = f" · and {len(bets) - 1} more" if len(bets) > 1 else ""
    return _fit(f"bet? {calls} <- {assumed}{more}")


def launch(node: str, record: dict[str, Any]) -> str:
    """`ahead: draft <- classify="billing" · P 0.62 · EV +$0.0346 ≥ $0.0068`."""
    return _fit(f"ahead: {node} <- {_assumed(record)} · {inequality(record)}")


def ask(record: dict[str, Any]) -> str:
    """`guess: classify=?openai:sim-small · P 0.62 · EV +$0.0346 ≥ $0.0068`."""
    return _fit(f"guess: {_assumed(record)} · {inequality(record)}")


def inequality(record: dict[str, Any]) -> str:
    """Both sides of the rule, as far as they are known."""
    p = f"P {number(record['p']):.2f}"
    if record["ev_usd"] is None:
        return f"{p} · EV unknown"
    ev, bar = number(record["ev_usd"]), number(record["threshold_usd"])
    sign = "+" if ev >= 0 else ""
    return f"{p} · EV {sign}{dollars(ev)} {'≥' if ev >= bar else '<'} {dollars(bar)}"


def comparison(pairs: Sequence[Pair]) -> str:
    """`verify="The lamp is broken." or the same in other words?`, and how many more there are."""
    more = f" · and {len(pairs) - 1} more" if len(pairs) > 1 else ""
    return _fit(f"{pairs[0].label} or the same in other words?{more}")


def settlement(certain: SettleRequest) -> str:
    """`draft · CUT at 150/500 tok · wasted $0.0031`, then what became of the guesses."""
    return _fit(" · ".join(_settled(certain)))


def _settled(certain: SettleRequest) -> Iterator[str]:
    yield from (verdict(compared) for compared in certain.compared)
    yield from (outcome(over) for over in certain.outcomes)
    yield from (purchase(bought) for bought in certain.purchases)
    yield from (f"{g.label} was {'right' if g.right else 'wrong'}" for g in certain.guesses)


def verdict(found: GuessCompared) -> str:
    """`verify="The lamp is broken." · SAME · openai:sim-small: the same`."""
    same = "SAME" if found.tier is not None else "DIFFERENT"
    return f"{found.label} · {same} · {found.by}: {found.reason}"


def outcome(done: Outcome) -> str:
    """One speculation's end."""
    words = f"{done.node} <- {done.label} · {done.outcome.upper()}"
    if done.outcome is Ending.CUT and done.expected_tokens:
        words += f" at {done.delivered_tokens}/{done.expected_tokens} tok"
    if done.outcome is Ending.PROMOTED:
        return words
    return f"{words} · wasted {'?' if done.wasted_usd is None else dollars(done.wasted_usd)}"


def purchase(done: Bought) -> str:
    """One bought guess: `classify=?openai:sim-small · ANSWERED · $0.0001`."""
    paid = "?" if done.best_usd is None else dollars(done.best_usd)
    return f"{done.label} · {done.end.upper()} · {paid}"


def _assumed(record: dict[str, Any]) -> str:
    return " & ".join(assumption["label"] for assumption in record["assumptions"])


def _refused(bet: BetView) -> str:
    return ", ".join(refusal.node for refusal in bet.refused)


def _fit(words: str) -> str:
    return words if len(words) <= LENGTH else f"{words[: LENGTH - 1]}…"
