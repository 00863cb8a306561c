"""The result of a run, printed for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from forerun.speculation.canonical import canonical_json
from forerun.speculation.quantities import dollars, number
from forerun.workers.cli.printable import printable

SHOWN_SECONDS = 0.005
ENDINGS = ("promoted", "discarded", "cut", "failed")


def print_outcome(console: Console, result: dict[str, Any]) -> None:
    """Outputs, effects and the ledger."""
    _section(console, "outputs", {name: _shown(v) for name, v in result["outputs"].items()})
    _section(console, "failed", result["failed"])
    _section(console, "skipped", dict.fromkeys(result["skipped"], ""))
    _section(console, "effects", {name: _effect(e) for name, e in result["effects"].items()})
    if result["approximations"]:
        rows = {made["node"]: approximation(made) for made in result["approximations"]}
        _section(console, "approximations", rows)
    print_ledger(console, result["ledger"])


def print_ledger(console: Console, ledger: dict[str, Any]) -> None:
    """Dollars, seconds, and what became of the speculations."""
    counts = ledger["speculations"]
    ended = endings(counts)
    rows = {
        "money": spent(ledger),
        "time": (
            f"{ledger['seconds']:.2f} s, without speculation {ledger['sequential_seconds']:.2f} s: "
            f"{saving(ledger)}"
        ),
        "speculations": f"{counts['launched']} launched" + (f": {ended}" if ended else ""),
    }
    _section(console, "ledger", rows)


def approximation(made: Mapping[str, Any]) -> str:
    """`draft answers verify="The lamp …", taken for the answer (tier 3, openai:sim-small)`."""
    words = f"{made['node']} answers {made['label']}, taken for the answer"
    return printable(f"{words} (tier {made['tier']}, {made['by']})")


def endings(counts: Mapping[str, int]) -> str:
    """How many speculations were promoted, cut and so on; nothing for none."""
    return ", ".join(f"{counts[ending]} {ending}" for ending in ENDINGS if counts.get(ending))


def saving(ledger: dict[str, Any]) -> str:
    """What speculation saved, in seconds and percent of the time without it."""
    saved, without = ledger["saved_seconds"], ledger["sequential_seconds"]
    if abs(saved) < SHOWN_SECONDS:
        return "no time saved"
    share = f" ({abs(saved) / without:.0%})" if without else ""
    return f"{abs(saved):.2f} s {'saved' if saved > 0 else 'lost'}{share}"


def spent(ledger: dict[str, Any]) -> str:
    """Dollars spent and wasted."""
    parts = [f"{dollars(number(ledger['spent_usd']), 6)} spent"]
    parts.append(f"{dollars(number(ledger['wasted_usd']), 6)} of it wasted")
    if ledger["unpriced_calls"]:
        parts.append(f"{ledger['unpriced_calls']} calls without a known price")
    return ", ".join(parts)


def _effect(effect: dict[str, Any]) -> str:
    who = f" by {effect['by']}" if effect["by"] else ""
    receipt = f" {_shown(effect['receipt'])}" if effect["receipt"] else ""
    verb = "approved" if effect["state"] == "committed" else ""
    return f"{effect['state']}{', ' + verb if who and verb else ''}{who}{receipt}"


def _section(console: Console, title: str, rows: dict[str, str]) -> None:
    """No line is broken here: a terminal wraps by itself, and a file should keep whole lines."""
    if not rows:
        return
    console.print(Text(title, style="bold"))
    width = max(map(len, rows))
    for name, value in rows.items():
        indented = value.replace("\n", "\n" + " " * (width + 4))
        console.print(Text(f"  {name:{width}}  {indented}"), soft_wrap=True)


def _shown(value: Any) -> str:
    return printable(value if isinstance(value, str) else canonical_json(value))
