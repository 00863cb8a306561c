"""`python -m tests.lossless --runs N --seed S`: the lossless proof, on as many random specs."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from forerun.workers.devserver import find_cli
from tests.lossless.generator import generate
from tests.lossless.house import House
from tests.lossless.runner import Verdict, try_case

PAIRS_AT_ONCE = 8


async def prove(house: House, seeds: list[int], pairs: int, keep: Path | None) -> list[Verdict]:
    """Try the cases of all seeds, `pairs` at a time."""
    room = asyncio.Semaphore(pairs)

    async def one(seed: int) -> Verdict:
        async with room:
            verdict = await try_case(house, generate(seed))
            for problem in verdict.problems:
                print(f"seed {seed}: {problem}", flush=True)
            for run in verdict.runs if keep else ():
                (keep / f"{run.id}.json").write_text(run.story.history.to_json())
            return verdict

    return await asyncio.gather(*(one(seed) for seed in seeds))


async def main() -> int:
    """Run the command; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.lossless", description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the first pair")
    parser.add_argument("--pairs", type=int, default=PAIRS_AT_ONCE, help="pairs at a time")
    parser.add_argument("--times", type=int, default=1, help="that each seed is tried")
    parser.add_argument("--keep", type=Path, help="folder for the histories of failed pairs")
    parser.add_argument("--show", action="store_true", help="print the spec, run nothing")
    options = parser.parse_args()
    seeds = [*range(options.seed, options.seed + options.runs)] * options.times
    if options.show:
        for seed in seeds:
            case = generate(seed)
            print(json.dumps(case.spec, indent=1), case.rules, case.manners, case.changes, sep="\n")
        return 0
    # Failing calls are part of the game.
    logging.getLogger("temporalio.activity").setLevel(logging.CRITICAL)
    began = time.monotonic()
    cli = find_cli(os.environ, sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        async with House.open(cli, Path(folder), runs=2 * options.pairs) as house:
            verdicts = await prove(house, seeds, options.pairs, options.keep)
    failed = [verdict.seed for verdict in verdicts if verdict.problems]
    print(
        f"lossless: {len(verdicts)} pairs, {len(failed)} failed {failed or ''}, "
        f"{sum(v.launched for v in verdicts)} launched, {sum(v.promoted for v in verdicts)} promoted, "
        f"{sum(v.effects for v in verdicts)} committed, {time.monotonic() - began:.0f} s"
    )
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
