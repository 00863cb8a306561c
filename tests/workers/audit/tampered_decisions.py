"""Decisions and purchases with one figure altered."""

from __future__ import annotations

from typing import Any

from tests.workers.audit.tampering import ONES, Tampering, field

FIRST_BET = {"bet": "route@faf2805a9391"}
"""The first decision of the history `breadth`: it launches one model call."""


def _decision(name: str, path: str, to: Any, check: str) -> Tampering:
    return field(name, "breadth", "decision", FIRST_BET, path, to, check)


def _buy(name: str, path: str, to: Any, check: str) -> Tampering:
    return field(name, "bought", "decision", {"verdict": "buy"}, path, to, check)


DECISIONS = [
    _decision("a price", "calls.0.stake.rates.output_usd_per_mtok", "11", "output_usd"),
    _decision("P", "p", "0.9", "p"),
    _decision("a Beta count", "assumptions.0.belief.alpha", "9", "p"),
    _decision("EV", "ev_usd", "9", "ev_usd"),
    _decision("the threshold", "threshold_usd", "0.0001", "threshold_usd"),
    _decision("the verdict", "verdict", "hold", "verdict"),
    _decision("a verdict of no decision", "verdict", "continue", "verdict"),
    _decision("alpha", "alpha", "0.5", "alpha"),
    _decision("what a second is worth", "usd_per_second", "2", "usd_per_second"),
    _decision("a leg of a path", "path_without.0.ms", 3000, "seconds_saved"),
    _decision("L", "seconds_saved", "5", "seconds_saved"),
    _decision("the tokens of the input", "calls.0.stake.input_tokens", 99, "input_usd"),
    _decision("the tokens of the output", "calls.0.stake.output_tokens", 59, "output_usd"),
    _decision("the dollars of the input", "calls.0.stake.input_usd", "1", "input_usd"),
    _decision("a share", "calls.0.share", "0.5", "cost_usd"),
    _decision("the part of a call in C", "calls.0.cost_usd", "0.0001", "cost_usd"),
    _decision("C", "cost_usd", "0.0001", "cost_usd"),
    _decision("what is reserved for a call", "calls.0.stake.worst_usd", "0.0001", "worst_usd"),
    _decision("R", "worst_usd", "0.0001", "worst_usd"),
    _decision("the dollars of later rounds", "later.cost_usd", "0.1", "cost_usd"),
    _decision("the funds", "funds_usd", "50", "funds_usd"),
    _decision("a bound of P", "p_bound", "0.1", "p"),
    _decision("a guessed value", "assumptions.0.value_sha256", ONES, "guess"),
    _decision("the label of a guess", "assumptions.0.label", "x", "assumptions"),
    _decision("the bet", "bet", "route@000000000000", "bet"),
    _decision("the question", "question", "what now?", "question"),
    _decision("the time of a decision", "at", "2026-01-01T00:00:00+00:00", "at"),
    _decision("the rule", "rule", "forerun-rule/0", "rule"),
    _decision("the kind of a record", "kind", "hunch", "record"),
    _decision("a number spelled otherwise", "p", "0.50", "record"),
    _decision("a number that is none", "ev_usd", "much", "record"),
    _decision("a number without end", "ev_usd", "1e999999999", "record"),
    field("a held bet", "held", "decision", {}, "verdict", "launch", "verdict"),
    field("why a bet is held", "held", "decision", {}, "reason", "budget", "verdict"),
    field(
        "what is left of a call",
        "no_longer_pays",
        "decision",
        {"verdict": "cut"},
        "calls.0.stake.output_tokens",
        3,
        "output_tokens",
    ),
    field(
        "why a bet is cut",
        "no_longer_pays",
        "decision",
        {"verdict": "cut"},
        "reason",
        "saves no time any more",
        "verdict",
    ),
    _buy("a purchase that is held", "verdict", "hold", "verdict"),
    _buy("a purchase that launches", "verdict", "launch", "verdict"),
    _buy("the price of a guess", "purchase.cost_usd", "0.1", "purchase.cost_usd"),
    _buy("what a guess reserves", "purchase.worst_usd", "0.00001", "worst_usd"),
    _buy("how many answers are bought", "purchase.k", 3, "purchase.cost_usd"),
    _buy("no answer that is bought", "purchase.k", 0, "purchase.cost_usd"),
    _buy("from whom a guess is bought", "purchase.operation", "openai:sim-mid", "purchase"),
    _buy("what a seller is asked", "purchase.fingerprint", ONES, "purchase.fingerprint"),
    _buy("a purchase that was none", "purchase", None, "verdict"),
]
