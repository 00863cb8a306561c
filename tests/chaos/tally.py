"""The report: which fault how often, and how many runs have met it; then what is wrong.

What was drawn and not injected had no moment: its run never came so far, or the process was down.
What people say is not drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.chaos.checks import Column
from tests.chaos.runner import Trial


def report(trials: Sequence[Trial], deaths: Sequence[str], seconds: float) -> Iterator[str]:
    """The lines of it."""
    injected = sum((trial.injected for trial in trials), Counter[str]())
    met = Counter(kind for trial in trials for kind in trial.met)
    drawn = Counter(kind for trial in trials for kind in trial.hardship.drawn)
    yield f"{'fault':<28}{'drawn':>8}{'injected':>10}{'runs that met it':>18}"
    for kind in sorted(met | drawn, key=lambda kind: (kind.split()[0], kind)):
        yield f"{kind:<28}{drawn[kind] or '':>8}{injected[kind]:>10}{met[kind]:>18}"
    ends = Counter(trial.ended.told[-1].close.how for trial in trials)
    runs = ", ".join(f"{count} {how}" for how, count in ends.most_common())
    commits = sum(len(trial.ended.rows) for trial in trials)
    yield f"{len(trials)} runs ({runs}), {injected.total()} faults, {commits} effects committed"
    bad = Counter(column for trial in trials for column, _ in trial.problems)
    bad[Column.BROKEN] += len(deaths)
    for column in Column:
        yield f"{column.value:<28}{bad[column]:>10}"
    failed = sorted({trial.hardship.seed for trial in trials if trial.problems})
    outcome = f"FAILED seeds {', '.join(map(str, failed))}" if failed else "all as it should be"
    if deaths:
        outcome = f"{len(deaths)} processes ended by themselves" + f", {outcome}" * bool(failed)
    yield f"{outcome}; {seconds:.0f} s"
