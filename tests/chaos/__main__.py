"""Runs with effects, under kills and faults of every kind, and what is left of them.

`python -m tests.chaos --runs N --seed S` tries the seeds S to S + N - 1; `--runs 1 --seed S` tries one
of them again, with its own faults and nobody else's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from forerun.workers.devserver import find_cli
from tests.chaos.generator import Hardship, generate
from tests.chaos.house import House
from tests.chaos.runner import AT_ONCE, Trial, Trials
from tests.chaos.tally import report

RUNS_PER_HOUSE = 125


def main() -> int:
    """Run the command; 1 if anything is wrong."""
    options = _options()
    hardships = [generate(seed) for seed in range(options.seed, options.seed + options.runs)]
    if options.show:
        for one in hardships:
            print(json.dumps({"spec": one.case.spec, "manners": one.case.manners}, indent=1))
            print(*one.faults, *one.refusals, sep="\n")
        return 0
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # servers die, here
    return asyncio.run(_endured(hardships, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how many seeds")
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="runs at the same time")
    parser.add_argument("--keep", type=Path, help="folder for the histories of what went wrong")
    parser.add_argument("--show", action="store_true", help="print the runs, start nothing")
    return parser.parse_args()


async def _endured(hardships: Sequence[Hardship], options: argparse.Namespace) -> int:
    began, cli = time.monotonic(), find_cli(os.environ, sys.stderr)
    trials: list[Trial] = []
    deaths: list[str] = []
    for first in range(0, len(hardships), RUNS_PER_HOUSE):
        some = hardships[first : first + RUNS_PER_HOUSE]
        with tempfile.TemporaryDirectory() as folder:
            async with House.open(cli, Path(folder)) as house:
                ended = await Trials(house).run(some, at_once=options.at_once)
                deaths += house.deaths
        _tell(ended, house.deaths, options.keep)
        trials += ended
        print(f"{len(trials)} of {len(hardships)}, {time.monotonic() - began:.0f} s", flush=True)
    print(*report(trials, deaths, time.monotonic() - began), sep="\n")
    return 1 if deaths or any(trial.problems for trial in trials) else 0


def _tell(trials: Sequence[Trial], deaths: Sequence[str], keep: Path | None) -> None:
    for death in deaths:
        print(death)
    for trial in trials:
        for column, problem in trial.problems:
            print(f"seed {trial.hardship.seed}: {column}: {problem}", flush=True)
        for number, history in enumerate(trial.ended.histories):
            if trial.problems and keep:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{trial.ended.id}.{number}.json").write_text(history.to_json())


if __name__ == "__main__":
    sys.exit(main())
