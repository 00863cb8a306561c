"""The lossless proof on many random specs, each run with speculation and without.

`python -m tests.lossless --runs N --seed S` tries the seeds S to S + N - 1, prints what is wrong
with which, and ends with what happened in all of them; `--runs 1 --seed S` tries one of them again.
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
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from forerun.workers.devserver import find_cli
from tests.lossless.case import Case
from tests.lossless.generator import generate
from tests.lossless.house import House
from tests.lossless.runner import PAIRS_AT_ONCE, Verdict, prove
from tests.lossless.tally import lines


def main() -> int:
    """Run the command; 1 if anything is wrong."""
    options = _options()
    seeds = range(options.seed, options.seed + options.runs)
    cases = [generate(seed) for seed in seeds for _ in range(options.times)]
    if options.show:
        print(*map(_shown, cases), sep="\n")
        return 0
    # Failing calls are part of the game.
    logging.getLogger("temporalio.activity").setLevel(logging.CRITICAL)
    return asyncio.run(_proven(cases, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lossless", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how many seeds")
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--times", type=int, default=1, help="that each of them is tried")
    parser.add_argument("--pairs", type=int, default=PAIRS_AT_ONCE, help="at the same time")
    parser.add_argument("--keep", type=Path, help="folder for the histories of failed pairs")
    parser.add_argument("--show", action="store_true", help="print the cases, run nothing")
    return parser.parse_args()


async def _proven(cases: Sequence[Case], options: argparse.Namespace) -> int:
    began, cli = time.monotonic(), find_cli(os.environ, sys.stderr)

    def report(verdict: Verdict) -> None:
        for problem in verdict.problems:
            print(f"seed {verdict.seed}: {problem}", flush=True)
        for run in verdict.runs if verdict.problems and options.keep else ():
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{run.id}.json").write_text(run.story.history.to_json())

    with tempfile.TemporaryDirectory() as folder:
        async with House.open(cli, Path(folder), runs=2 * options.pairs) as house:
            verdicts = await prove(house, cases, pairs=options.pairs, report=report)
    print(_summary(verdicts, time.monotonic() - began))
    return 1 if any(verdict.problems for verdict in verdicts) else 0


def _summary(verdicts: Sequence[Verdict], seconds: float) -> str:
    failed = dict.fromkeys(str(verdict.seed) for verdict in verdicts if verdict.problems)
    outcome = f"FAILED seeds {', '.join(failed)}" if failed else "all lossless"
    audited = sum(len(verdict.runs) for verdict in verdicts)
    counts = sum((verdict.tally for verdict in verdicts), Counter[tuple[str, str]]())
    pairs = f"{len(verdicts)} pairs, {outcome}; {audited} histories audited; {seconds:.0f} s"
    return "\n".join([pairs, *lines(counts)])


def _shown(case: Case) -> str:
    people = {"manners": case.manners, "changes": [change.update for change in case.changes]}
    return json.dumps({"spec": case.spec, "rules": case.rules, **people}, indent=1)


if __name__ == "__main__":
    sys.exit(main())
