"""Both examples with and without speculation, interleaved: seconds, dollars, and the counterfactual."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from benchmarks.house import House, read_json
from benchmarks.tables import table

EXAMPLES = Path(__file__).parent.parent / "examples"
EXAMPLE_NAMES = ("auto_reply", "review_panel")
ROUNDS = 3


async def measure(house: House) -> dict[str, Any]:
    """Medians over interleaved rounds; `sequential_error` compares the counterfactual to a control."""
    rounds = 1 if house.quick else ROUNDS
    figures: dict[str, Any] = {"rounds": rounds}
    async with house.workers():
        for name in EXAMPLE_NAMES:
            figures[name] = await _example(house, name, rounds)
    return figures


def markdown(figures: dict[str, Any]) -> str:
    """A line per example."""
    rows = [
        [
            f"`examples/{name}.json`",
            f"{one['seconds_without']:.2f} s",
            f"{one['seconds_with']:.2f} s",
            f"{-one['saved_share']:+.0%}",
            f"${one['spent_usd_without']} / ${one['spent_usd_with']}",
            f"{one['sequential_error']:+.1%}",
        ]
        for name, one in ((name, figures[name]) for name in EXAMPLE_NAMES)
    ]
    header = ["", "without", "with", "time", "dollars", "error of sequential_seconds"]
    return f"# The examples, medians of {figures['rounds']} rounds\n\n" + table(header, rows)


async def _example(house: House, name: str, rounds: int) -> dict[str, Any]:
    spec = read_json(EXAMPLES / f"{name}.json")
    await house.set_rules(read_json(EXAMPLES / f"{name}.rules.json"))
    off = {**spec, "policy": {**spec.get("policy", {}), "budget_usd": "0"}}
    without: list[dict[str, Any]] = []
    ahead: list[dict[str, Any]] = []
    for _ in range(rounds):
        for chosen, ledgers in ((off, without), (spec, ahead)):
            result = await (await house.start(chosen)).result()
            ledgers.append(result["ledger"])
    slow, fast = (statistics.median(x["seconds"] for x in ledgers) for ledgers in (without, ahead))
    claimed = statistics.median(x["sequential_seconds"] for x in ahead)
    return {
        "seconds_without": round(slow, 3),
        "seconds_with": round(fast, 3),
        "saved_share": round(1 - fast / slow, 3),
        "spent_usd_without": without[0]["spent_usd"],
        "spent_usd_with": ahead[0]["spent_usd"],
        "wasted_usd_with": ahead[0]["wasted_usd"],
        "sequential_error": round(claimed / slow - 1, 4),
        "speculations": ahead[0]["speculations"],
    }
