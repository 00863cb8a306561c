"""Approximations: each by a verdict that stands before it, told, and approved by digest (design 4.9).

Whether two texts say the same is not found out again: that is the verdict's own business, and word
lists change. What it cost, what was allowed, and what was done by it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from forerun.activities.call_result import Bill
from forerun.activities.intent import CommitRequest
from forerun.speculation.canonical import digest
from forerun.speculation.equivalence import SIMILARITY, Approximation
from forerun.speculation.record import GuessCompared, GuessTested, Outcome, plain
from forerun.speculation.table import Ending
from forerun.workers.audit.launched import outputs
from forerun.workers.audit.run import COMPARE, Call, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation
from forerun.workflows.bills import NOTHING, UNKNOWN


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A comparison and the event of its record."""

    event_id: int
    compared: GuessCompared


def check(run: Run) -> Iterator[Violation]:
    """Verdicts, what guesses were taken for, and what the run tells of it."""
    verdicts: dict[str, _Verdict] = {}
    answers = {node: digest(output) for node, output in outputs(run).items()}
    asked = {
        call.id.removeprefix(f"{COMPARE}:"): call for call in run.calls if call.type == COMPARE
    }
    for event_id, compared in run.of(GuessCompared):
        node = compared.node
        if compared.guess in verdicts:
            found = f"again, after event {verdicts[compared.guess].event_id}"
            yield violation(event_id, node, "compared", "compared once", found)
        verdicts.setdefault(compared.guess, _Verdict(event_id, compared))
        answer = answers.get(node)
        yield from unless_equal(event_id, node, "actual_sha256", answer, compared.actual_sha256)
        yield from _bill(event_id, compared, asked.get(compared.guess))
        yield from _allowed(event_id, compared, run)
    yield from _tested(run, verdicts)
    yield from _told(run, [*_approximations(run, verdicts)])


def _bill(event_id: int, compared: GuessCompared, asked: Call | None) -> Iterator[Violation]:
    """What the model said that it cost; words cost nothing, and a model alone can find a 3."""
    if asked is None and compared.tier == SIMILARITY:
        yield violation(event_id, compared.node, "tier", "a model that was asked before", None)
    bill = NOTHING if asked is None else _billed(asked, event_id)
    expected = {
        "usage": bill.usage,
        "low_usd": bill.cost.low_usd,
        "best_usd": bill.cost.best_usd,
        "high_usd": bill.cost.high_usd,
        "basis": bill.cost.basis,
    }
    for name, value in expected.items():
        yield from unless_equal(event_id, compared.node, name, value, getattr(compared, name))


def _billed(asked: Call, before: int) -> Bill:
    end = asked.end
    if end is None or end.event_id > before:
        return UNKNOWN
    return end.bill or (NOTHING if end.how == "canceled" else UNKNOWN)


def _allowed(event_id: int, compared: GuessCompared, run: Run) -> Iterator[Violation]:
    if run.graph is None or compared.tier is None or compared.node not in run.graph.nodes:
        return
    highest = run.graph.nodes[compared.node].spec.equivalence
    if compared.tier > highest:
        yield violation(event_id, compared.node, "tier", f"at most {highest}", compared.tier)


def _tested(run: Run, verdicts: Mapping[str, _Verdict]) -> Iterator[Violation]:
    """A guess is right at a tier beyond the JSON if a verdict says so, and not otherwise."""
    for event_id, tested in run.of(GuessTested):
        verdict = verdicts.get(tested.guess)
        found = verdict.compared.tier if verdict and verdict.event_id < event_id else None
        if tested.tier is None or tested.tier > 1:
            yield from unless_equal(event_id, tested.node, "tier", found, tested.tier)


def _approximations(
    run: Run, verdicts: Mapping[str, _Verdict]
) -> Iterator[Approximation | Violation]:
    """What was claimed with a guess in the place of the answer, by the outcomes."""
    for event_id, outcome in run.of(Outcome):
        for guess in outcome.approximates:
            verdict = verdicts.get(guess)
            tier = verdict.compared.tier if verdict and verdict.event_id < event_id else None
            if verdict is None or tier is None:
                expected = f"a verdict before it that {guess} may stand for the answer"
                yield violation(event_id, outcome.node, "approximates", expected, None)
            elif outcome.outcome is Ending.PROMOTED:
                yield Approximation(
                    node=outcome.node,
                    upstream=verdict.compared.node,
                    guess=guess,
                    label=verdict.compared.label,
                    tier=tier,
                    by=verdict.compared.by,
                )


def _told(run: Run, found: list[Approximation | Violation]) -> Iterator[Violation]:
    """In the result, and to whoever approves: by an approval that names the digest."""
    made = [one for one in found if isinstance(one, Approximation)]
    yield from (one for one in found if isinstance(one, Violation))
    result = run.close.result
    if result is not None and "approximations" in result:
        expected, told = _in_order(plain(made)), _in_order(result["approximations"])
        yield from unless_equal(run.close.event_id, "", "approximations", expected, told)
    read = {one.node.partition("[")[0] for one in made}
    for call in run.calls:
        if not isinstance(call.asked, CommitRequest) or run.graph is None:
            continue
        intent = call.asked.intent.partition("[")[0]
        behind = read.intersection(run.graph.ancestors(intent)) if intent in run.graph.nodes else ()
        if behind and not call.asked.exact:
            expected = f"an approval that names the digest: {min(behind)} is an approximation"
            yield violation(call.event_id, call.node, "exact", expected, call.asked.exact)


def _in_order(told: Any) -> Any:
    """By their text: calls end in another order than they were started in."""
    return sorted(cast("list[Any]", told), key=repr) if isinstance(told, list) else told
