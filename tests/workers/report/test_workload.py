"""The report of many runs is the sum of theirs."""

from __future__ import annotations

from decimal import Decimal

from forerun.speculation.quantities import ZERO
from forerun.speculation.record import GuessTested
from forerun.workers.audit.laws.ledger import ledger_of
from forerun.workers.report.page import workload_page
from forerun.workers.report.sample import Sample, sample_of
from forerun.workers.report.workload import workload
from tests.forging import Forged
from tests.workers.report.kept import NAMES, history, run
from tests.workers.report.test_hostile import MARKUP, check, spoiled


async def samples(*names: str) -> list[Sample]:
    """Kept runs, as they are sampled."""
    return [await sample_of(history(name)) for name in names or NAMES]


async def test_every_dollar_of_every_run_is_in_one_place() -> None:
    """To the last digit; and each speculation under one outcome."""
    told = workload(await samples())

    ledgers = [ledger_of(run(name)) for name in NAMES]
    assert sum((place.spent.usd for place in told.places), ZERO) == told.spent
    assert told.spent == sum((ledger.spent_usd for ledger in ledgers), ZERO)
    wasted = [place.spent.usd for place in told.places if "wasted" in place.name]
    assert sum(wasted, ZERO) == sum((ledger.wasted_usd for ledger in ledgers), ZERO)
    ended = sum(place.spent.calls for place in told.places)
    assert ended == sum(sum(ledger.endings.values()) for ledger in ledgers)


async def test_an_edge_leads_from_a_guess_to_what_ran_on_it() -> None:
    """Hits and misses of the same guess are one edge."""
    (edge,) = workload(await samples("hit", "miss")).edges

    assert (edge.guess, edge.readers) == ('classify="billing"', ("lookup", "draft"))
    assert (edge.rate.right, edge.rate.guesses, edge.launched) == (1, 2, 2)


async def test_runs_without_a_result_are_counted_and_not_guessed() -> None:
    """A spec that does not parse took no time that could be compared."""
    told = workload(await samples("hit", "bad_spec"))

    assert told.timeless == 1
    assert told.saved is not None
    assert told.saved.count == 1
    assert "1 of the runs have no result" in workload_page(told)


async def test_a_guess_that_met_no_answer_is_neither_right_nor_wrong() -> None:
    """Its record says so by having no answer; it is counted apart."""
    forged = Forged("miss")
    with forged.record("guess") as guess:
        guess["actual_sha256"] = None
    tested = [guess for _, guess in run("miss").of(GuessTested)]

    told = workload([await sample_of(forged.history())])

    assert len(tested) == 1
    assert (told.untested, told.edges) == (1, ())
    assert (told.in_force.placed, told.in_force.unknown) == (1, 1)
    assert told.in_force.loss_usd == Decimal(0)


async def test_a_violated_run_is_named() -> None:
    """The laws are checked, though nothing is replayed."""
    forged = Forged("miss")
    with forged.record("outcome", node="draft") as outcome:
        outcome["wasted_usd"] = "0.5"

    told = workload([await sample_of(history("hit")), await sample_of(forged.history())])

    assert [line.partition(":")[0] for line in told.violated] == ["miss"]
    assert "1 violated" in workload_page(told)


async def test_hostile_texts_are_texts_here_too() -> None:
    """Labels of guesses, names of runs and of workloads."""
    forged = spoiled("miss", "billing", MARKUP)
    found = await sample_of(forged.history())

    page = check(workload_page(workload([found])))

    assert MARKUP in page.words
