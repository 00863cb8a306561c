"""`make bench`: measurements on the stand-in, written to `benchmarks/results/`.

    python -m benchmarks [--quick] [NAME...]

Each benchmark gets servers of its own, and its figures are ratios or differences taken in the same
run: machines are shared and noisy. It leaves NAME.json, NAME.md and its plots, and says where.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import sys
import tempfile
import time
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import contention, cuts, decisions, examples, overhead, savings, scale
from benchmarks.house import House
from benchmarks.plots import save

RESULTS = Path(__file__).parent / "results"
BENCHMARKS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (savings, overhead, scale, contention, cuts, decisions, examples)
}
"""A benchmark is a module with `measure(house)`, a coroutine that returns plain figures, and
`markdown(figures)`; with `plots(figures)` if there is something to draw."""


async def run(names: list[str], *, quick: bool) -> None:
    """Run the named benchmarks, one after the other; quick figures are kept apart."""
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-")) if quick else RESULTS
    for name in names:
        began = time.monotonic()
        print(f"{name}: {(BENCHMARKS[name].__doc__ or '').splitlines()[0]}", flush=True)
        async with House.open(quick=quick) as house:
            figures = await BENCHMARKS[name].measure(house)
        figures = {
            "command": f"python -m benchmarks {name}{' --quick' if quick else ''}",
            "machine": _machine(),
            "seconds": round(time.monotonic() - began),
            **figures,
        }
        _report(name, figures, folder)


def _report(name: str, figures: dict[str, Any], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    module = BENCHMARKS[name]
    told = module.markdown(figures)
    measured = f"Measured by `{figures['command']}` on {figures['machine']}."
    plots: dict[str, Any] = module.plots(figures) if hasattr(module, "plots") else {}
    pictures = "".join(f"\n![{plot}]({name}_{plot}.svg)\n" for plot in plots)
    files = [folder / f"{name}.json", folder / f"{name}.md"]
    files[0].write_text(json.dumps(figures, indent=1) + "\n")
    files[1].write_text(f"{told}\n{pictures}\n{measured}\n")
    for plot, drawn in plots.items():
        files.append(folder / f"{name}_{plot}.svg")
        save(drawn, files[-1])
    written = " ".join(os.path.relpath(file) for file in files)
    print(f"{told}\n{name}: {figures['seconds']} s, written to {written}\n", flush=True)


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="few repetitions: a check, no figures")
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.names or list(BENCHMARKS), quick=arguments.quick))


if __name__ == "__main__":
    logging.getLogger("temporalio").setLevel(logging.ERROR)  # calls fail and are cut on purpose
    warnings.filterwarnings("ignore", "Cannot find activity to cancel")  # a cut met a completion
    main()
    sys.stdout.flush()
    os._exit(0)  # temporalio may crash the interpreter on its way out (sdk-python#300)
