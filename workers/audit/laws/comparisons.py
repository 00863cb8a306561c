"""Guesses that stand for answers that say the same: only after a verdict, and never unsaid (4.9).

A verdict of a model is what its activity returned. Whoever is promoted on such a guess names it, the
result lists it, and an effect behind it was asked for with the digest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from forerun.activities.comparison import Compared
from forerun.activities.intent import CommitRequest
from forerun.speculation.canonical import digest
from forerun.speculation.equivalence import NORMALISED_TEXT, SIMILARITY, Approximation
from forerun.speculation.guess import guess_id
from forerun.speculation.quantities import ZERO
from forerun.speculation.record import GuessCompared, GuessTested, Outcome, plain
from forerun.speculation.table import Ending
from forerun.workers.audit.billed import FAILED
from forerun.workers.audit.launched import outputs
from forerun.workers.audit.run import COMMIT, COMPARE, Call, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation
from forerun.workflows.bills import NOTHING, UNKNOWN

BY_WORDING = "wording"
"""Who decided where no model was asked."""


def check(run: Run) -> Iterator[Violation]:
    """Every verdict, every promotion that rests on one, and what the run says of them."""
    yield from _verdicts(run)
    yield from _allowed(run)
    yield from _tested(run)
    yield from _rests(run)
    yield from _result(run)
    yield from _intents(run)


def approximations(run: Run) -> list[Approximation]:
    """The promoted calls in which a guess stands for the answer, as the records tell of them."""
    verdicts = {record.guess: record for _, record in run.of(GuessCompared)}
    return [
        Approximation(
            node=outcome.node,
            upstream=verdicts[guess].node,
            guess=guess,
            label=verdicts[guess].label,
            tier=verdicts[guess].tier or 0,
            by=verdicts[guess].by,
        )
        for _, outcome in run.of(Outcome)
        if outcome.outcome is Ending.PROMOTED
        for guess in outcome.approximates
        if guess in verdicts
    ]


def _verdicts(run: Run) -> Iterator[Violation]:
    """One for each guess, on the actual value, by the words or by the model that was asked."""
    actual = {node: digest(output) for node, output in outputs(run).items()}
    asked = {call.id.partition(":")[2]: call for call in run.calls if call.type == COMPARE}
    first: dict[str, int] = {}
    for event_id, verdict in run.of(GuessCompared):
        node, guess = verdict.node, verdict.guess
        if guess in first:
            found = f"again, after event {first[guess]}"
            yield violation(event_id, node, "compared", "compared once", found)
        first.setdefault(guess, event_id)
        named = guess_id(node, verdict.value_sha256)
        yield from unless_equal(event_id, node, "guess", named, guess)
        yield from unless_equal(
            event_id, node, "actual_sha256", actual.get(node), verdict.actual_sha256
        )
        if verdict.by == BY_WORDING:
            yield from _by_wording(event_id, verdict)
        else:
            yield from _by_model(event_id, verdict, asked.get(guess))
    for guess, call in asked.items():
        if guess not in first and run.settled:
            yield violation(call.event_id, call.node, "compared", f"a verdict on {guess}", None)


def _by_wording(event_id: int, verdict: GuessCompared) -> Iterator[Violation]:
    """Words tell tier 2 or nothing, and cost nothing."""
    if verdict.tier not in (NORMALISED_TEXT, None):
        yield violation(event_id, verdict.node, "tier", NORMALISED_TEXT, verdict.tier)
    yield from unless_equal(event_id, verdict.node, "best_usd", ZERO, verdict.best_usd)


def _by_model(event_id: int, verdict: GuessCompared, call: Call | None) -> Iterator[Violation]:
    """What its activity returned; nothing that failed finds two texts the same."""
    answer = call.end.result if call and call.end else None
    found = answer if isinstance(answer, Compared) else _no_answer(call)
    expected: dict[str, Any] = {
        "tier": found.tier,
        "score": found.score,
        "usage": found.bill.usage,
        "low_usd": found.bill.cost.low_usd,
        "best_usd": found.bill.cost.best_usd,
        "high_usd": found.bill.cost.high_usd,
        "basis": found.bill.cost.basis,
    }
    if isinstance(answer, Compared):
        expected |= {"by": found.by, "reason": found.reason}
        if found.tier not in (SIMILARITY, None):
            yield violation(event_id, verdict.node, "tier", SIMILARITY, found.tier)
    for check, value in expected.items():
        yield from unless_equal(event_id, verdict.node, check, value, getattr(verdict, check))


def _no_answer(call: Call | None) -> Compared:
    """A model that failed has found nothing; one that was never asked has cost nothing."""
    failed = call.end if call and call.end and call.end.how in FAILED else None
    bill = (failed.bill or UNKNOWN) if failed else NOTHING
    return Compared(tier=None, by="", reason="", bill=bill)


def _allowed(run: Run) -> Iterator[Violation]:
    """No higher a tier than its node allows."""
    for event_id, verdict in run.of(GuessCompared):
        if run.graph and verdict.tier and verdict.node in run.graph.nodes:
            highest = run.graph.nodes[verdict.node].spec.equivalence
            if verdict.tier > highest:
                yield violation(event_id, verdict.node, "tier", f"at most {highest}", verdict.tier)


def _tested(run: Run) -> Iterator[Violation]:
    """A guess is right beyond the JSON if a verdict before says so, and not otherwise."""
    said = {verdict.guess: (at, verdict.tier) for at, verdict in run.of(GuessCompared)}
    for event_id, tested in run.of(GuessTested):
        at, tier = said.get(tested.guess, (event_id, None))
        if tested.tier is None or tested.tier >= NORMALISED_TEXT:
            found = tier if at < event_id else None
            yield from unless_equal(event_id, tested.node, "tier", found, tested.tier)


def _rests(run: Run) -> Iterator[Violation]:
    """Nothing was taken for the same before a verdict said so."""
    said = {verdict.guess: (at, verdict.tier) for at, verdict in run.of(GuessCompared)}
    for event_id, outcome in run.of(Outcome):
        for guess in outcome.approximates:
            at, tier = said.get(guess, (event_id, None))
            if at >= event_id or tier is None:
                expected = f"a verdict before it that {guess} says the same"
                yield violation(event_id, outcome.node, "approximates", expected, None)


def _result(run: Run) -> Iterator[Violation]:
    """The result lists them all."""
    result = run.close.result
    if result is None or "approximations" not in result:
        return
    expected, found = plain(approximations(run)), result["approximations"]
    listed = cast("list[Any]", found) if isinstance(found, list) else [found]
    if sorted(map(repr, expected)) != sorted(map(repr, listed)):
        yield violation(run.close.event_id, "", "approximations", expected, found)


def _intents(run: Run) -> Iterator[Violation]:
    """An effect behind one takes no blind approval."""
    made = {one.node.partition("[")[0] for one in approximations(run)}
    for call in run.calls:
        if call.type == COMMIT and isinstance(call.asked, CommitRequest) and run.graph:
            node = call.asked.intent.partition("[")[0]
            behind = made.intersection(run.graph.ancestors(node)) if node in run.graph.nodes else ()
            if behind and not call.asked.exact:
                expected = f"an exact approval: {', '.join(sorted(behind))} is an approximation"
                yield violation(call.event_id, call.node, "exact", expected, "any approval")
