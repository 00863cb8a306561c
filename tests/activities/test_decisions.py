"""The local activity `decide`: from a request to records, by this worker's estimates and prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pydantic import TypeAdapter
from temporalio.contrib.pydantic import pydantic_data_converter

from forerun.activities.decision_request import (
    BetView,
    CallView,
    DecideRequest,
    PurchaseView,
    SpeculationView,
)
from forerun.speculation.estimates import Work
from forerun.speculation.guess import GuessSource
from forerun.speculation.policy import Policy
from forerun.speculation.pricing import Rates, Usage, call_usd, worst_case_usd
from forerun.speculation.record import GENESIS, seal_of
from tests.activities.decision_points import assumption, decided, request

D = Decimal
SMALL = "openai:sim-small"


def offer(operation: str = SMALL, k: int = 1) -> PurchaseView:
    """To ask a smaller model for the classification; the draft could start on its answer."""
    return PurchaseView(
        question="buy?",
        node="classify",
        operation=operation,
        k=k,
        fingerprint="fp-answer",
        input_bytes=4000,
        work=Work(operation=operation, input_bytes=80, max_output_tokens=20, choice_tokens=4),
        assumption=assumption(f"?{operation}", GuessSource.MODEL),
        conditions=(),
        calls=(CallView(node="draft", fingerprint=None, waits_for=(), input_bytes=0),),
        refused=(),
        skipped=(),
    )


def bet(input_bytes: int = 90) -> BetView:
    """The draft on a known guess."""
    call = CallView(node="draft", fingerprint="fp", waits_for=(), input_bytes=input_bytes)
    return BetView(
        question="bet?",
        assumptions=(assumption("billing", GuessSource.VALUE),),
        alternatives=(),
        conditions=(),
        calls=(call,),
        refused=(),
        skipped=(),
    )


async def test_a_guess_is_bought_at_its_price() -> None:
    """G is k answers at the recorded rates; what is reserved takes every byte for a token."""
    (record,) = await decided(request(offer(k=2)))

    assert record["verdict"] == "buy"
    bought = record["purchase"]
    rates = TypeAdapter(Rates).validate_python(bought["rates"])
    usage = Usage(input_tokens=bought["input_tokens"], output_tokens=bought["output_tokens"])
    worst = worst_case_usd(rates, input_bytes=4000, max_output_tokens=20)
    assert (bought["operation"], bought["k"], bought["fingerprint"]) == (SMALL, 2, "fp-answer")
    assert usage == Usage(input_tokens=1000, output_tokens=4)
    assert D(bought["cost_usd"]) == 2 * call_usd(rates, usage)
    assert D(bought["worst_usd"]) == 2 * worst


async def test_its_calls_begin_with_the_answer() -> None:
    """L is what is left of the answer itself once the guess is there."""
    (record,) = await decided(request(offer()))

    seconds = D(record["purchase"]["seconds"])
    assert D(record["seconds_saved"]) == 3 - seconds
    assert record["path_with"] == [{"node": f"classify@?{SMALL}", "ms": int(1000 * seconds)}]
    assert record["calls"][0]["stake"]["fingerprint"] is None


async def test_an_unpriced_model_is_not_asked() -> None:
    """Unknown dollars are never taken for none."""
    (record,) = await decided(request(offer("nobody:knows")))

    assert (record["verdict"], record["purchase"]["cost_usd"]) == ("hold", None)
    assert record["reason"] == "unpriced: no price known for nobody:knows"


async def test_what_is_held_is_recorded_once() -> None:
    """A bet or a purchase that was held for the same question says nothing new; a verdict does."""
    poor = Policy(usd_per_second=D("0.0000001"))

    first = await decided(request(offer(), bets=[bet()], policy=poor))
    asked = request(offer(), bets=[bet()], policy=poor, held=["bet?", "buy?"])
    again = await decided(asked)
    richer = await decided(replace(asked, policy=Policy()))

    assert [record["verdict"] for record in first] == ["hold", "hold"]
    assert again == []
    assert [record["verdict"] for record in richer] == ["launch", "buy"]


async def test_records_are_one_chain() -> None:
    """Launches, purchases and cuts of a batch follow each other, in this process or another."""
    running = SpeculationView(
        node="draft",
        fingerprint="fp-dear",
        assumptions=(assumption("bug", GuessSource.VALUE),),
        done=False,
        elapsed_ms=0,
    )
    asked = request(offer(), bets=[bet()], placed=[running])
    asked = replace(asked, policy=Policy(usd_per_second=D("0.0000001")))

    records = await decided(asked)

    assert [record["verdict"] for record in records] == ["cut", "hold", "hold"]
    assert [record["previous"] for record in records] == [
        GENESIS,
        *(record["sha256"] for record in records[:-1]),
    ]
    assert [seal_of(record) for record in records] == [record["sha256"] for record in records]


async def test_a_call_is_priced_by_what_is_sent() -> None:
    """Rendered arguments count by their own length, others by that of their template."""
    (sent,) = await decided(request(bets=[bet(input_bytes=90)]))
    (unknown,) = await decided(request(offer()))

    rendered, template = (record["calls"][0]["stake"] for record in (sent, unknown))
    assert (rendered["input_tokens"], template["input_tokens"]) == (23, 20)
    assert D(rendered["worst_usd"]) > D(template["worst_usd"])


async def test_a_request_survives_its_way_to_the_worker() -> None:
    """What the workflow asks is what the activity is asked."""
    asked = request(offer(k=3), bets=[bet()])

    payloads = await pydantic_data_converter.encode([asked])

    assert await pydantic_data_converter.decode(payloads, [DecideRequest]) == [asked]
