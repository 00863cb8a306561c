"""The live ledger that the Temporal UI shows under User Metadata: Markdown, no history cost.

The UI draws table cells without padding, so cells carry non-breaking spaces, and cuts off what is
too wide, so what matters most stands on the left.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.intent import Intent
    from forerun.speculation.ledger import Ledger
    from forerun.speculation.policy import Policy
    from forerun.speculation.quantities import dollars, number, text
    from forerun.speculation.rule import Verdict
    from forerun.speculation.table import CallTable, Ending, SpeculativeCall
    from forerun.workflows.run_state import Nodes

NBSP = "\u00a0"
PAD = NBSP * 2
LINES = 20
"""Of each table: the newest. All of them are in the history."""

MARKS = {
    "done": "✓", "running": "▶", "waiting": "·", "awaiting": "✋",
    "skipped": "↷", "failed": "✗", "stopped": "◼", "declined": "⊘",
}  # fmt: skip


PLACED = (Verdict.LAUNCH, Verdict.BUY)


def details(
    nodes: Nodes,
    table: CallTable,
    ledger: Ledger,
    policy: Policy,
    records: list[dict[str, Any]],
    waiting: Sequence[Intent],
) -> str:
    """The run at a glance: nodes, what waits for people, bets, speculations, and totals."""
    decisions = [record for record in records if record["kind"] == "decision"]
    parts = [
        "**" + " ".join(f"{MARKS[run.state]}{PAD}{run.name}{PAD}" for run in nodes.whole) + "**",
        *(_gate(intent) for intent in waiting[:LINES]),
        _bets(decisions),
        _speculations(list(table)),
        _totals(ledger, policy),
    ]
    return "\n\n".join(part for part in parts if part)


def _gate(intent: Intent) -> str:
    """What to paste into the UI's own signal form. Code keeps its spaces, or it would be no JSON."""
    signal = {"node": intent.intent, "by": "YOUR NAME", "digest": intent.digest}
    asked = f"{MARKS['awaiting']} {intent.intent} waits for the signal **approve** or **reject**:"
    return f"{asked}\n\n```\n{json.dumps(signal, ensure_ascii=False, indent=1)}\n```"


def _bets(decisions: list[dict[str, Any]]) -> str:
    rows = [
        [
            _verdict(d),
            ", ".join(call["stake"]["node"] for call in d["calls"]) or "—",
            " & ".join(assumption["label"] for assumption in d["assumptions"]),
            f"{number(d['p']):.2f}",
            f"{number(d['seconds_saved']):.1f} s",
            _usd(d["ev_usd"]),
            _usd(d["threshold_usd"]),
        ]
        for d in decisions[-LINES:]
    ]
    return _table("Bets", ["verdict", "calls", "assuming", "P", "L", "EV", "bar"], rows)


def _verdict(decision: dict[str, Any]) -> str:
    verdict = decision["verdict"]
    return f"**{verdict.upper()}**" if verdict in PLACED else f"{verdict}: {decision['reason']}"


def _usd(amount: str | None) -> str:
    """One amount per cell: the UI reads two dollar signs in a cell as a formula."""
    return "?" if amount is None else dollars(number(amount))


def _speculations(speculations: list[SpeculativeCall]) -> str:
    rows = [
        [
            s.node,
            s.label,
            _state(s),
            s.cut_reason or _claim(s),
        ]
        for s in speculations[-LINES:]
    ]
    return _table("Speculations", ["call", "assuming", "state", "why"], rows)


def _claim(speculation: SpeculativeCall) -> str:
    if speculation.claimed_by is None:
        return ""
    return f"claimed by {speculation.claimed_by}{' (≈)' if speculation.approximates else ''}"


def _state(speculation: SpeculativeCall) -> str:
    if speculation.ending:
        return f"**{speculation.ending.upper()}**"
    return "running" if speculation.live else "done, unclaimed"


def _totals(ledger: Ledger, policy: Policy) -> str:
    endings = ", ".join(f"{ledger.endings[ending]} {ending.value}" for ending in Ending)
    left = number(policy.budget_usd) - ledger.at_risk_usd
    rows = [
        ["authoritative", dollars(ledger.authoritative_usd, 6)],
        ["promoted", dollars(ledger.promoted_usd, 6)],
        ["wasted", dollars(ledger.wasted_usd, 6)],
        ["guesses", dollars(ledger.guess_usd, 6)],
        ["budget left", dollars(left, 6)],
        ["alpha · $/s", f"{text(policy.alpha)} · {text(policy.usd_per_second)}"],
        ["speculations", f"{ledger.launched} launched: {endings}"],
    ]
    return _table("Ledger", ["spent", dollars(ledger.spent_usd, 6)], rows)


def _table(title: str, head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = [[_cell(cell) for cell in line] for line in (head, *rows)]
    lines.insert(1, [":--"] * len(head))
    body = "\n".join("|" + "|".join(line) + "|" for line in lines)
    return f"**{title}**\n\n{body}"


def _cell(words: str) -> str:
    return PAD + words.replace(" ", NBSP).replace("|", "¦") + PAD
