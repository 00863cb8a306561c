"""What a run was about, counted: a proof in which nothing happened proves nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from forerun.activities.checkpoints import CHECKPOINT
from forerun.speculation.decision import Decision
from forerun.speculation.guess import GuessSource
from forerun.speculation.record import Bought, GuessTested, Outcome
from forerun.speculation.table import Ending
from forerun.workers.audit.launched import launches, promoted
from forerun.workers.audit.reading import read_run
from forerun.workers.audit.run import Run as Told
from tests.lossless.checks import Run

Counts = Iterator[tuple[str, str]]

PREDICTED = (GuessSource.NODE, GuessSource.STREAM, GuessSource.MODEL)
"""The sources that are told apart."""


def tally(run: Run) -> Counter[tuple[str, str]]:
    """How often what happened in a run, by topic: `("speculations", "cut")`."""
    told = read_run(run.story.history)[0]
    return Counter((*_speculations(told), *_guesses(told), *_lists(told), *_ends(run)))


def lines(counts: Counter[tuple[str, str]]) -> Iterable[str]:
    """One line for each topic."""
    for topic in dict.fromkeys(topic for topic, _ in counts):
        found = (f"{count} {what}" for (of, what), count in counts.items() if of == topic)
        yield f"{topic}: {', '.join(found)}"


def _speculations(told: Told) -> Counts:
    for _ in launches(told):
        yield "speculations", "launched"
    for _, outcome in told.of(Outcome):
        yield "speculations", outcome.outcome.value
    for _, decision in told.of(Decision):
        yield "decisions", decision.verdict.value


def _guesses(told: Told) -> Counts:
    """Guesses that met their answer, and the launches and promotions that rest on a source."""
    for _, guess in told.of(GuessTested):
        yield "guesses", "tested"
        yield "guesses", f"right at tier {guess.tier}" if guess.right else "wrong"
    for _, purchase in told.of(Bought):
        yield "bought guesses", purchase.end.value
    claimed = {call.id for _, call in promoted(told)}
    for launch in launches(told):
        sources = {a.source for a in launch.decided.decision.assumptions} if launch.decided else ()
        for source in (source for source in PREDICTED if source in sources):
            yield f"on {source.value} guesses", "launched"
            if launch.call.id in claimed:
                yield f"on {source.value} guesses", Ending.PROMOTED.value
    for signal in told.signals:
        if signal.name == CHECKPOINT:
            yield "streams", "checkpoints" if "value" in signal.payload else "rate limits"


def _lists(told: Told) -> Counts:
    """Items of `for_each` nodes, by how their calls were made."""
    for node in told.graph.nodes.values() if told.graph else ():
        if node.gathers:
            yield "for_each", "effect nodes" if node.effect else "nodes"
    for call in told.calls:
        if call.node.endswith("]"):
            ahead = " ahead" if call.speculative else ""
            yield "for_each", f"{call.type.replace('_call', '')} items{ahead}"
    for node, _ in promoted(told):
        if node.endswith("]"):
            yield "for_each", "items promoted"


def _ends(run: Run) -> Counts:
    for intent, effect in run.result["effects"].items():
        yield "effects", f"{effect['state']}{' items' if intent.endswith(']') else ''}"
    for state in ("outputs", "skipped", "failed"):
        for _ in run.result[state]:
            yield "nodes", state
    for request in run.requests:
        if request["outcome"] == "faulted":
            yield "providers", "faults"
