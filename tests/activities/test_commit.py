"""The commit worker believes the server's history and its own registry, never the workflow.

Each test runs a real workflow against a real server. What happened is asserted on the outbox and on
the history, not on what the code under test says of itself.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from forerun.activities.effects.commit import COMMIT_REFUSED
from forerun.activities.intent import Intent
from forerun.activities.registry import INVALID_ARGUMENTS, WRONG_KIND, Registry
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval
from forerun.speculation.equivalence import Approximation
from tests.activities.commit_house import (
    MESSAGE,
    OTHER,
    House,
    commit_scheduled,
    refusal_of,
    said,
    wish,
)


@pytest.fixture
def house(temporal_client: Client, tmp_path: Path) -> House:
    return House(temporal_client, tmp_path / "outbox.sqlite3")


async def test_approved(house: House) -> None:
    """An approved intent is one row, and its receipt says who approved it and how."""
    (receipt,) = await house.run(wish(), signals=[said("approve", "ann")])
    (row,) = house.rows()
    assert (receipt.approved_by, receipt.blind) == ("ann", True)
    assert (row["approved_by"], row["intent"]) == ("ann", "send")
    assert row["digest"] == receipt.digest == digest(MESSAGE)
    assert receipt.idempotency_key == row["idempotency_key"]
    assert row["idempotency_key"] == f"{row['workflow_id']}/{row['run_id']}/send"
    assert receipt.receipt == {"key": row["idempotency_key"], "committed_at": row["committed_at"]}
    assert receipt.bill.attempts == 1


async def test_approved_by_digest(house: House) -> None:
    """An approval of exactly these arguments opens every gate that asks somebody."""
    signals = [said("approve", "ann", digest=digest(MESSAGE))]
    for name in ("outbox.put", "test.exact"):
        (receipt,) = await house.run(wish(name), signals=signals)
        assert (receipt.approved_by, receipt.blind) == ("ann", False)
    assert len(house.rows()) == 2


async def test_lying_workflow(house: House) -> None:
    """A workflow that asks without any approval is refused, once and for good."""
    error = await house.refusal(wish())
    assert error.type == COMMIT_REFUSED
    assert error.message.startswith("commit of 'send' (outbox.put) refused: no approval of it")
    assert house.rows() == []


async def test_approval_of_another_intent(house: House) -> None:
    """An approval opens the gate of the intent it names and no other."""
    await house.refusal(wish(intent="send[1]"), signals=[said("approve", "ann")])
    assert house.rows() == []


async def test_first_decision_wins(house: House) -> None:
    """A rejection before the approval closes the gate; one after it is too late."""
    approve, reject = said("approve", "ann"), said("reject", "rob", note="no")
    error = await house.refusal(wish(), signals=[reject, approve])
    assert "rejected by 'rob'" in error.message
    assert house.rows() == []
    await house.run(wish(), signals=[approve, reject])
    assert len(house.rows()) == 1


async def test_approval_of_other_arguments(house: House) -> None:
    """An approval that names another digest opens nothing; the next one may still do."""
    wrong = said("approve", "wim", digest=digest(OTHER))
    error = await house.refusal(wish(), signals=[wrong])
    assert "'wim' approves digest" in error.message
    (receipt,) = await house.run(wish(), signals=[wrong, said("approve", "ann")])
    assert receipt.approved_by == "ann"


async def test_exact_gate_refuses_blind_approval(house: House) -> None:
    """Where the registration, or the request, asks for exact approvals, a blind one is nothing."""
    blind = said("approve", "ann")
    for request in (wish("test.exact"), wish(exact=True), wish("test.auto", exact=True)):
        error = await house.refusal(request, signals=[blind])
        assert "'ann' blind" in error.message
    exact = said("approve", "eve", digest=digest(MESSAGE))
    (receipt,) = await house.run(wish(exact=True), signals=[blind, exact])
    assert receipt.approved_by == "eve"
    assert len(house.rows()) == 1


async def test_two_people(house: House) -> None:
    """Two different names must have approved, and both are on the receipt and in the row."""
    ann, ben = (said("approve", by, digest=digest(MESSAGE)) for by in ("ann", "ben"))
    error = await house.refusal(wish("test.two"), signals=[ann, said("approve", "Ann")])
    assert "no approval of it but that of 'ann' precedes" in error.message
    assert "it needs 2 people" in error.message
    assert "'Ann' has approved already" in error.message
    assert house.rows() == []
    (receipt,) = await house.run(wish("test.two"), signals=[ann, ben])
    assert (receipt.approved_by, receipt.blind) == ("ann, ben", False)
    assert house.rows()[0]["approved_by"] == "ann, ben"
    error = await house.refusal(wish("test.two"), signals=[ann, said("reject", "rob"), ben])
    assert "rejected by 'rob'" in error.message


async def test_many_useless_approvals(house: House) -> None:
    """A refusal shows the first few signals that did not count, and how many more there are."""
    wrong = [said("approve", f"wim-{n}", digest=digest(OTHER)) for n in range(5)]
    error = await house.refusal(wish(), signals=wrong)
    assert error.message.count("approves digest") == 3
    assert error.message.endswith("; and 2 more")


async def test_automatic_gate(house: House) -> None:
    """Only an operation that is registered so commits without being asked."""
    (receipt,) = await house.run(wish("test.auto"))
    assert (receipt.approved_by, receipt.blind) == ("auto", False)
    (row,) = house.rows()
    assert row["approved_by"] == "auto"
    error = await house.refusal(wish("test.auto"), signals=[said("reject", "rob")])
    assert "rejected by 'rob'" in error.message


async def test_digest_must_be_that_of_the_arguments(house: House) -> None:
    """A request that names the approved digest but carries other arguments is refused."""
    forged = replace(wish(arguments=OTHER), digest=digest(MESSAGE))
    error = await house.refusal(forged, signals=[said("approve", "ann", digest=digest(MESSAGE))])
    assert "its arguments have digest" in error.message
    assert house.rows() == []


async def test_approval_after_the_commit_was_asked_for(house: House) -> None:
    """An approval that comes while the commit waits for a worker is no reason for that commit."""
    async with house.workflows():
        handle = await house.start(wish())
        await commit_scheduled(handle)
        await handle.signal(*said("approve", "ann"))
        async with house.commits():
            with pytest.raises(WorkflowFailureError) as raised:
                await handle.result()
    assert "no approval of it precedes" in refusal_of(raised.value).message
    assert house.rows() == []


async def test_malformed_signals_count_nothing(house: House) -> None:
    """Signals that do not parse, in JSON or in encoding, neither open nor block a gate."""
    noise: list[tuple[str, Any]] = [
        ("approve", None),
        ("approve", "send"),
        ("reject", {"node": "send"}),
        said("reject", "rob", digset="x"),
        ("approve", RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{"))),
        ("reject", RawValue(Payload(metadata={"encoding": b"json/unheard-of"}, data=b"{}"))),
        ("approve", RawValue(Payload())),
        ("approve", ()),
        ("approve", (said("approve", "ann")[1], "and more")),
        ("reject", (said("reject", "rob")[1], "and more")),
    ]
    await house.refusal(wish(), signals=noise)
    assert house.rows() == []
    (receipt,) = await house.run(wish(), signals=[*noise, said("approve", "ann")])
    assert receipt.approved_by == "ann"


async def test_bad_requests(house: House) -> None:
    """Invalid arguments and tools are refused for good, before anything happens."""
    approve = [said("approve", "ann")]
    error = await house.refusal(wish(arguments={"to": 1, "body": ""}), signals=approve)
    assert error.type == INVALID_ARGUMENTS
    error = await house.refusal(wish("echo", {"value": 1}), signals=approve)
    assert error.type == WRONG_KIND
    assert house.rows() == []


async def test_receipt_must_be_an_object(house: House) -> None:
    """An effect that returns something else has happened all the same, and the error says so."""
    error = await house.refusal(wish("test.no_object"), signals=[said("approve", "ann")])
    assert "has committed, but returned 'value': Input should be an object" in error.message
    assert len(house.rows()) == 1


async def test_commit_that_no_run_scheduled(house: House) -> None:
    """A commit outside of any run, or one that the named run never asked for, is refused."""
    async with house.workflows():
        handle = await house.start(signals=1)
        await handle.signal(*said("approve", "ann"))
        await handle.result()
    nowhere = ActivityEnvironment.default_info()
    for info in (
        replace(nowhere, workflow_id=None, workflow_run_id=None),
        replace(nowhere, workflow_id=handle.id, workflow_run_id=handle.first_execution_run_id),
    ):
        environment = ActivityEnvironment()
        environment.info = info
        with pytest.raises(ApplicationError, match="never scheduled it"):
            await environment.run(house.commit, wish())
    assert house.rows() == []


def test_intent_is_plain_data(house: House) -> None:
    """An intent carries canonical arguments and their digest; exactness survives into the request."""
    card = Registry.of(house.outbox).cards["outbox.put"]
    intent = Intent.of(card, intent="send", arguments=MESSAGE | {"body": 1.0})
    assert intent.arguments["body"] == 1
    assert intent.request() == wish(arguments=MESSAGE | {"body": 1})
    made = Approximation(node="d", upstream="x", guess="x@0", label='x="y"', tier=2, by="wording")
    strict = Intent.of(card, intent="send", arguments=MESSAGE, approximations=(made,))
    assert strict.approval is Approval.EXACT
    assert strict.request() == wish(exact=True)
