"""`make bench`: measurements on the stand-in, in one run, written to `benchmarks/results/`.

    python -m benchmarks [examples] [cuts]

Figures are ratios or differences taken in the same run: machines are shared and noisy.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks import cuts, examples
from benchmarks.house import House

RESULTS = Path(__file__).parent / "results"
BENCHMARKS: dict[str, Callable[[House], Awaitable[dict[str, Any]]]] = {
    "examples": examples.measure,
    "cuts": cuts.measure,
}


async def run(names: list[str]) -> None:
    """Run the named benchmarks, each in a house of its own."""
    for name in names:
        async with House.open() as house:
            figures = await BENCHMARKS[name](house)
        figures = {"command": f"python -m benchmarks {name}", "machine": _machine(), **figures}
        (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
        print(json.dumps(figures, indent=2), flush=True)


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1:] or list(BENCHMARKS)))
    sys.stdout.flush()
    os._exit(0)  # temporalio may crash the interpreter on its way out (sdk-python#300)
