"""The report of a run says what its history says, to the last digit."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from forerun.speculation.decision import Decision
from forerun.speculation.record import Outcome
from forerun.speculation.rule import Verdict
from forerun.speculation.sequence import span_ms
from forerun.workers.audit.payloads import object_of
from forerun.workers.report.bets import rows
from forerun.workers.report.costs import costs
from forerun.workers.report.gates import gates
from forerun.workers.report.lanes import Kind, lanes
from forerun.workers.report.pictures import BOTTOM, LEFT, RIGHT, TOP, break_even, pictures
from forerun.workers.report.sequence import counterfactual
from tests.forging import Forged
from tests.workers.report.kept import NAMES, history, page, reported, run

PLACES = ("authoritative", "promoted", "wasted", "guesses")
CLOCKS_MS = 100
"""The run lives at the starts of its workflow tasks, and rounds; the history has the times of all."""


@pytest.mark.parametrize("name", NAMES)
def test_the_dollars_by_node_are_those_of_the_ledger(name: str) -> None:
    """Each in its place, exactly; and the result of the run says the same."""
    by_node, ledger = costs(run(name))

    sums = [sum((getattr(cost, place) for cost in by_node), Decimal(0)) for place in PLACES]
    assert sums == [
        ledger.authoritative_usd,
        ledger.promoted_usd,
        ledger.wasted_usd,
        ledger.guess_usd,
    ]
    assert sum(cost.unpriced for cost in by_node) == ledger.unpriced_calls
    told = object_of((run(name).close.result or {}).get("ledger"))
    assert not told or Decimal(told["spent_usd"]) == sum(cost.total for cost in by_node)


@pytest.mark.parametrize("name", NAMES)
def test_the_counterfactual_is_as_long_as_the_run_itself_says(name: str) -> None:
    """Rebuilt from the events alone, by the same function."""
    laid = counterfactual(run(name))
    told = object_of((run(name).close.result or {}).get("ledger")).get("sequential_seconds")
    if laid is not None and told is not None:
        assert abs(span_ms(laid) - told * 1000) <= CLOCKS_MS


@pytest.mark.parametrize("name", NAMES)
def test_every_speculation_is_drawn_as_what_became_of_it(name: str) -> None:
    """Unless it was cut before the server heard of it: then there is nothing to draw."""
    spans = [span for lane in lanes(run(name), gates(run(name))) for span in lane.spans]
    drawn = Counter(span.kind.value for span in spans)
    sent = {call.id for call in run(name).calls}

    ended = Counter(o.outcome.value for _, o in run(name).of(Outcome) if o.speculation in sent)

    assert {kind: drawn[kind] for kind in ("promoted", "discarded", "cut")} == {
        kind: ended[kind] for kind in ("promoted", "discarded", "cut")
    }
    for span in spans:
        assert span.begin_ms <= span.begun_ms <= span.end_ms


@pytest.mark.parametrize("name", NAMES)
def test_spans_in_one_row_never_overlap(name: str) -> None:
    """What ran at the same time for one node stands below each other."""
    for lane in lanes(run(name), gates(run(name))):
        by_row: dict[int, int] = {}
        for span in sorted(lane.spans, key=lambda one: one.begin_ms):
            assert span.begin_ms >= by_row.get(span.row, 0)
            by_row[span.row] = span.end_ms
        assert len(by_row) in (lane.rows, 0)


@pytest.mark.parametrize("name", NAMES)
def test_every_decision_has_its_row_and_its_reason(name: str) -> None:
    """The sign between both sides is that of the recorded figures."""
    decisions = [decision for _, decision in run(name).of(Decision)]

    shown = rows(run(name))

    assert [row.verdict for row in shown] == [decision.verdict for decision in decisions]
    for row, decision in zip(shown, decisions, strict=True):
        assert row.why.endswith(".")
        if row.inequality and decision.ev_usd is not None and decision.threshold_usd is not None:
            pays = decision.ev_usd >= decision.threshold_usd
            assert row.inequality.sign == ("≥" if pays else "<")
        if decision.verdict is Verdict.LAUNCH:
            assert row.inequality


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_shows_on_which_side_of_its_break_even_a_bet_lies(name: str) -> None:
    """Within the plot; and P reaches the break-even just when EV reaches the threshold."""
    for picture in pictures(run(name)):
        for x, y in (picture.start, picture.end, picture.point):
            assert LEFT <= x <= RIGHT
            assert TOP <= y <= BOTTOM
        decision = [decision for _, decision in run(name).of(Decision)][picture.number - 1]
        even = break_even(decision)
        assert decision.ev_usd is not None
        assert decision.threshold_usd is not None
        pays = decision.ev_usd >= decision.threshold_usd
        assert pays == (even is not None and decision.p >= even)


def test_the_wait_for_a_person_is_drawn_until_it_ended() -> None:
    """From when the draft was certain; nobody waits for an approval that came early."""
    assert [intent for intent, _ in gates(run("early_approval"))] == []
    ((intent, wait),) = gates(run("expired"))
    assert (intent, wait.kind) == ("send", Kind.GATE)
    assert "expired" in wait.words
    assert wait.end_ms - wait.begin_ms >= 900


async def test_unknown_dollars_are_called_unknown() -> None:
    """A cut whose price nobody knows is in no sum and counted."""
    forged = Forged("miss")
    with forged.record("outcome", node="draft") as outcome:
        outcome |= dict.fromkeys(("low_usd", "best_usd", "high_usd", "wasted_usd"))

    text = await page(forged.history())

    assert " + 1 unknown</td>" in text
    assert "unknown wasted" in text
    assert "1 call of unknown price" in text


async def test_what_did_not_count_says_why() -> None:
    """The second approval came when the first had decided."""
    effects = {
        effect.intent: effect for effect in (await reported(history("early_approval"))).effects
    }
    effect = effects["send"]
    counted, late = effect.approvals

    assert (counted.by, counted.ignored) == ("ann", "")
    assert (late.by, late.ignored) == ("bob", "came when it was decided already")
    assert (effect.state, effects["another"].state) == ("committed", "no such intent")
    assert effect.digest
    assert effect.committed
