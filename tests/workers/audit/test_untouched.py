"""What nobody has altered is clean, in whatever form it comes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from temporalio.client import WorkflowHistory

from forerun.workers.audit.auditor import WORKFLOWS, audit
from forerun.workers.audit.history import NotAHistory, read, read_file
from forerun.workers.audit.laws import gates
from forerun.workers.audit.reading import read_run
from forerun.workers.audit.run import End
from forerun.workers.cli.audits import code_of
from forerun.workers.schemas import all_schemas
from tests.replay.scenario import Scenario
from tests.replay.scenarios import SCENARIOS
from tests.workflows.own_workflows import OWN

HIT = next(scenario for scenario in SCENARIOS if scenario.name == "hit")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_recorded_history_is_clean(scenario: Scenario) -> None:
    """Every kind of run that is kept: hits, misses, cuts, failures, cancels, rejected effects."""
    report = await audit(scenario.history(), {**WORKFLOWS, **{own.__name__: own for own in OWN}})

    assert not report.violations, "\n".join(map(str, report.violations))
    assert report.replay.state == "passed"
    assert report.unsettled is None


async def test_it_counts_what_it_has_checked() -> None:
    """So that nobody takes an empty audit for a clean one; dollars are those of the result."""
    report = await audit(HIT.history())

    assert report.workflow_id == "hit"
    assert (report.checked.decisions, report.checked.launches, report.checked.commits) == (3, 2, 1)
    close = HIT.history().events[-1].workflow_execution_completed_event_attributes
    ledger = json.loads(close.result.payloads[0].data)["ledger"]
    assert str(report.spent_usd.normalize()) == ledger["spent_usd"]


async def test_for_machines_it_has_the_promised_shape() -> None:
    """`--json` is what `forerun schema --all` describes."""
    report = (await audit(HIT.history())).as_json()

    jsonschema.validate(report, all_schemas()["audit"])
    assert report["clean"] is True
    assert report["wasted_usd"] == "0"


def test_a_commit_does_not_wait_for_what_was_bought() -> None:
    """A guess for an ancestor, cut when that ended, may take until after the commit to stop."""
    run = read_run(HIT.history())[0]
    late = End(event_id=run.events, how="canceled")
    needed = replace(next(call for call in run.calls if call.id == "classify"), end=late)
    bought = replace(needed, id="guess:classify:9")

    assert not list(gates.check(replace(run, calls=(*run.calls, bought))))
    assert list(gates.check(replace(run, calls=(*run.calls, needed))))


@pytest.mark.parametrize("form", ["cli", "sdk", "server", "bare", "ui"])
def test_every_form_of_export_is_read(form: str) -> None:
    """The CLI, the SDK and the UI spell and wrap the same events differently."""
    history = HIT.history()
    events: list[Any] = json.loads(history.to_json())["events"]
    texts = {
        "cli": HIT.file.read_text(),
        "sdk": history.to_json(),
        "server": json.dumps({"history": {"events": events}, "nextPageToken": None}),
        "bare": json.dumps(events),
        "ui": json.dumps({"events": [_short(event) for event in events]}, indent=2),
    }

    found = read(texts[form], "a file")

    assert found.workflow_id == "hit"
    assert list(found.events) == list(history.events)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("3", "no list of events"),
        ('{"version": 1, "nodes": {}}', "no list of events"),
        ('{"events": {"a": 1}}', "no list of events"),
        ('{"events": []}', "no events"),
        ('{"events": [1]}', "Event not a dictionary"),
        ('{"events": [{"eventId": "x"}]}', "do not parse"),
        ('{"events": [{"eventType": "EVENT_TYPE_TIMER_FIRED"}]}', "does not start a workflow"),
    ],
)
def test_what_is_no_history_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    """With the file, what is wrong, and how to get a history."""
    path = tmp_path / "file.json"
    path.write_text(text)

    with pytest.raises(NotAHistory, match=says) as refused:
        read_file(path)

    assert str(path) in str(refused.value)
    assert "temporal workflow show" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A folder, say, or nothing at all."""
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(NotAHistory, match="directory"):
            read_file(path)


async def test_a_run_that_does_not_say_its_id_is_named_after_the_file(tmp_path: Path) -> None:
    """Older servers leave it out of the first event; then its idempotency keys name it."""
    exported = json.loads(HIT.file.read_text())
    del exported["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    path = tmp_path / "hit.json"
    path.write_text(json.dumps(exported))

    report = await audit(read_file(path))

    assert report.workflow_id == "hit"
    assert report.clean


async def test_a_workflow_without_its_code_is_checked_without_replay() -> None:
    """And the report says so: all else holds for any workflow that speculates."""
    report = await audit(HIT.history(), {})

    assert report.clean
    assert report.replay.state == "skipped"
    assert "--workflow" in (report.replay.why or "")


async def test_a_users_own_workflow_is_replayed_with_its_code() -> None:
    """As `--workflow module:Class` names it."""
    history = next(scenario for scenario in SCENARIOS if scenario.name == "own_workflow").history()

    report = await audit(history, code_of(["tests.workflows.own_workflows:Triage"]))

    assert report.clean
    assert report.replay.state == "passed"
    assert report.workflow_type == "Triage"


async def test_a_history_of_another_kind_has_nothing_to_check() -> None:
    """A workflow that never speculated: no records, no violations."""
    events = json.loads(HIT.file.read_text())["events"][:4]
    events[0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"] = "Other"

    report = await audit(WorkflowHistory.from_json("other", {"events": events}))

    assert report.clean
    assert report.checked.records == 0


def _short(event: dict[str, Any]) -> dict[str, Any]:
    """An event as the UI spells its type."""
    words = event["eventType"].removeprefix("EVENT_TYPE_").split("_")
    return {**event, "eventType": "".join(word.capitalize() for word in words)}
