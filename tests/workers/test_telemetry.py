"""What workers tell of themselves: the same numbers as the histories, and no secrets."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.worker import Replayer

from forerun.activities.metrics import COUNTERS, HISTOGRAMS, Histogram
from forerun.speculation.quantities import number
from forerun.workers.plugin import forerun_plugin
from forerun.workflows.agent_dag import AgentDag
from tests.workers.watched import SECRET
from tests.workers.watched_day import REPLY, Day

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"
OPERATING = DASHBOARD.with_name("operators.md")


@pytest.fixture(scope="module")
async def day(temporal_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Day]:
    """The day, watched from its first minute."""
    async with Day.over(temporal_cli, tmp_path_factory.mktemp("day")) as day:
        yield day


async def test_decisions_and_outcomes_are_those_of_the_histories(day: Day) -> None:
    """By verdict and by kind; a launch is a call, of which a decision may have several."""
    records = [record for story in await day.stories() for record in story.records]
    ledgers = await day.ledgers()

    for verdict in ("launch", "hold", "buy"):
        there = [r for r in records if r["kind"] == "decision" and r["verdict"] == verdict]
        await day.check(day.total("forerun_decisions_total", verdict=verdict), len(there))
    for outcome in ("promoted", "cut", "discarded", "failed"):
        ended = sum(ledger["speculations"][outcome] for ledger in ledgers)
        await day.check(day.total("forerun_outcomes_total", outcome=outcome), ended)
    launched = sum(ledger["speculations"]["launched"] for ledger in ledgers)
    await day.check(day.total("forerun_launches_total"), launched)
    await day.check(day.total("forerun_outcomes_total", outcome="cut"), 1)
    await day.check(day.total("forerun_guesses_total", right="true", source="value"), 2)
    await day.check(day.total("forerun_guesses_total", right="false", source="value"), 1)
    await day.check(day.total("forerun_guesses_total", right="true", source="model"), 1)
    await day.check(day.total("forerun_purchases_total", end="answered"), 1)
    await day.check(day.total("forerun_comparisons_total", tier="3"), 1)


async def test_dollars_are_those_of_the_ledgers(day: Day) -> None:
    """Attempts add up to what was spent, with the one that was tried again in it once."""
    ledgers = await day.ledgers()
    spent = sum(number(ledger["spent_usd"]) for ledger in ledgers)
    wasted = sum(number(ledger["wasted_usd"]) for ledger in ledgers)

    assert wasted > 0
    assert day.total("forerun_attempt_usd_sum") == pytest.approx(float(spent))
    assert day.total("forerun_wasted_usd_sum") > 0.999 * float(wasted)
    assert day.total("forerun_reserved_usd_sum") > float(wasted)
    unpriced = sum(ledger["unpriced_calls"] for ledger in ledgers)
    assert day.total("forerun_unpriced_attempts_total") == unpriced == 1
    assert day.total("forerun_attempt_usd_sum", operation="say") == 0.25


async def test_closed_runs_are_counted_by_their_ledgers(day: Day) -> None:
    """Dollars by place, and both durations: what was saved is their difference."""
    ledgers = await day.ledgers()
    saved = sum(ledger["saved_seconds"] for ledger in ledgers)
    seconds = ("forerun_run_sequential_seconds", "forerun_run_seconds")

    await day.check(day.total("forerun_run_seconds_count"), len(ledgers))
    if day.total("forerun_run_seconds_count") == len(ledgers):
        for place in ("authoritative", "promoted", "wasted", "guess"):
            usd = sum(number(ledger[f"{place}_usd"]) for ledger in ledgers)
            assert day.total("forerun_run_usd_sum", place=place) == pytest.approx(float(usd))
        sequential, actual = (day.total(f"{name}_sum") for name in seconds)
        assert sequential - actual == pytest.approx(saved, abs=0.01)


async def test_every_cut_is_timed(day: Day) -> None:
    """From giving the call up until the run hears of its end."""
    await day.check(day.total("forerun_cut_seconds_count"), 1)
    assert day.total("forerun_cut_seconds_sum") > 0


async def test_every_attempt_is_counted_with_its_own_tokens(day: Day) -> None:
    """The failed one too; a bill covers the attempts before it, a metric must not."""
    results: list[Any] = [
        json.loads(event.activity_task_completed_event_attributes.result.payloads[0].data)
        for story in await day.stories()
        for event in story.history.events
        if event.HasField("activity_task_completed_event_attributes")
    ]
    bills: list[Any] = [it["bill"] for it in results if isinstance(it, dict) and "bill" in it]
    twice = "anthropic:sim-large"

    assert day.total("forerun_attempts_total", operation=twice, end="failed") == 1
    assert day.total("forerun_attempts_total", operation=twice, end="completed") == 1
    assert day.total("forerun_attempts_total", end="cut") == 1
    for kind in ("input", "output"):
        billed = sum(bill["usage"][f"{kind}_tokens"] for bill in bills)
        assert day.total("forerun_tokens_total", kind=kind) == billed > 0


async def test_a_replay_counts_nothing(day: Day) -> None:
    """What was counted when it happened happens once."""
    before = await day.watched.samples()
    telemetry = day.watched.telemetry
    replayer = Replayer(
        workflows=[AgentDag],
        plugins=[forerun_plugin(telemetry=telemetry)],
        runtime=telemetry.runtime,
    )
    spans = len(await day.watched.spans())

    for run in day.runs.values():
        await replayer.replay_workflow(await run.fetch_history())

    assert await day.watched.samples() == before
    assert len(await day.watched.spans()) == spans


async def test_a_run_is_a_trace_of_its_own_id(day: Day) -> None:
    """All spans hang on the run's own, whichever worker drew them."""
    spans = await day.watched.spans()

    for run in day.runs.values():
        id = run.result_run_id.replace("-", "")
        mine = [span for span in spans if span.trace == id]
        root, *again = (span for span in mine if not span.parent)
        assert root.name == "invoke_agent AgentDag"
        assert {span.id for span in again} <= {root.id}
        assert {span.parent for span in mine} == {root.id, ""}
        assert root.id == id[16:]
        assert root.attributes["gen_ai.conversation.id"] == run.id
    assert {span.trace for span in spans} == {
        run.result_run_id.replace("-", "") for run in day.runs.values()
    }


async def test_model_calls_follow_the_conventions(day: Day) -> None:
    """Tokens, dollars, and what became of the call."""
    spans = [span for span in await day.watched.spans() if span.name.startswith("chat ")]
    by_outcome = {span.attributes["forerun.outcome"]: span for span in spans}
    cut, failed = by_outcome["cut"].attributes, by_outcome["failed"]

    assert cut["gen_ai.operation.name"] == "chat"
    assert cut["gen_ai.provider.name"] == "anthropic"
    assert cut["gen_ai.request.model"] == "sim-mid"
    assert cut["gen_ai.usage.output_tokens"] > 0
    assert cut["forerun.speculative"] is True
    assert cut["forerun.node"] == "draft"
    assert cut["forerun.cost.basis"] == "estimated"
    assert cut["operation.cost"] == float(Decimal(cut["forerun.cost.best_usd"])) > 0
    assert failed.failed
    assert failed.attributes["error.type"] == "AnswerTruncated"
    assert not by_outcome["cut"].failed
    costs = sum(span.attributes.get("operation.cost", 0) for span in await day.watched.spans())
    assert costs == pytest.approx(float(sum(number(it["spent_usd"]) for it in await day.ledgers())))


async def test_bets_are_events_with_their_figures(day: Day) -> None:
    """What was decided, and what came of it."""
    events = [event for span in await day.watched.spans() for event in span.events]
    launches = [
        it for name, it in events if name == "decision" and it["forerun.verdict"] == "launch"
    ]
    wasted = [it for name, it in events if name == "outcome" and it["forerun.outcome"] == "cut"]

    assert ["draft"] in [launch["forerun.nodes"] for launch in launches]
    assert all(
        Decimal(launch["forerun.ev_usd"]) >= Decimal(launch["forerun.threshold_usd"])
        for launch in launches
    )
    assert {Decimal(it["forerun.wasted_usd"]) > 0 for it in wasted} == {True}


async def test_nothing_that_was_said_leaves_with_it(day: Day) -> None:
    """Neither keys, nor prompts, answers and arguments."""
    await day.watched.spans()
    told = b"".join(day.watched.collector.bodies).decode(errors="replace")
    told += await day.watched.scrape()

    for said in ("Maria", REPLY, "crash", "word word", "m@example.com"):
        assert said not in told
    assert SECRET not in told + day.watched.log.getvalue()


async def test_every_log_line_of_a_call_says_where_it_comes_from(day: Day) -> None:
    """By structlog or by logging, in a user's own tool or from the SDK."""
    lines = day.watched.logged()
    said = [line for line in lines if line["event"] == "said.it"]
    failed = [line for line in lines if "AnswerTruncated" in str(line.get("error"))]
    place = {"workflow_id": "twice", "run_id": day.runs["twice"].result_run_id}

    assert [line["by"] for line in said] == ["structlog", "logging"]
    for line, node in zip([*said, *failed], ["told", "told", "hello"], strict=True):
        assert place.items() <= line.items()
        assert line["node"] == node


async def test_every_metric_is_exported(day: Day) -> None:
    """By the name in the table; a name that nothing reports is a promise."""
    exported = {sample.name for sample in day.samples}

    assert {it.name for it in COUNTERS} <= exported
    assert all(lines_of(histogram) <= exported for histogram in HISTOGRAMS)


async def test_dashboard_and_page_name_what_is_exported(day: Day) -> None:
    """Every name exists, and every metric of ours is there."""
    used = set(re.findall(r"\b(?:forerun|temporal)_\w+", DASHBOARD.read_text()))
    temporals = set(re.findall(r"^temporal_\w+", await day.watched.scrape(), re.MULTILINE))
    lines = {histogram: lines_of(histogram) for histogram in HISTOGRAMS}

    assert used <= temporals | {it.name for it in COUNTERS} | set().union(*lines.values())
    assert {it.name for it in COUNTERS} <= used
    assert all(lines[histogram] & used for histogram in HISTOGRAMS)
    told = OPERATING.read_text()
    assert all(f"`{it.name}`" in told for it in (*COUNTERS, *HISTOGRAMS))


def lines_of(histogram: Histogram) -> set[str]:
    return {f"{histogram.name}_{part}" for part in ("sum", "count", "bucket")}
