"""The gate: only the first valid decision for an intent counts, and malformed ones count nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.approvals import (
    AUTO,
    ApprovalSignal,
    Closed,
    Ignored,
    Malformed,
    Open,
    Waiting,
    decide_gate,
    parse_signal,
)
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval

DIGEST = digest({"to": "a@example.org"})
OTHER = digest({"to": "b@example.org"})

BLIND = ApprovalSignal(answer="approve", intent="send", by="ann")
EXACT = ApprovalSignal(answer="approve", intent="send", by="eve", digest=DIGEST)
WRONG = ApprovalSignal(answer="approve", intent="send", by="wim", digest=OTHER)
FOREIGN = ApprovalSignal(answer="approve", intent="send[1]", by="fay", digest=DIGEST)
REJECT = ApprovalSignal(answer="reject", intent="send", by="rob", note="too early")

SIGNALS = st.lists(st.sampled_from([BLIND, EXACT, WRONG, FOREIGN, REJECT]), max_size=6)


ANN = ApprovalSignal(answer="approve", intent="send", by="ann", digest=DIGEST)
SAME_ANN = ApprovalSignal(answer="approve", intent="send", by="  Ann ", digest=DIGEST)


def gate(
    *signals: ApprovalSignal, approval: Approval = Approval.REQUIRED, approvals: int = 1
) -> Open | Closed | Waiting:
    return decide_gate(
        signals, intent="send", digest=DIGEST, approval=approval, approvals=approvals
    )


def test_nothing_said() -> None:
    """Without a signal a gate waits, unless the operation's registration asks nobody."""
    assert gate() == Waiting()
    assert gate(approval=Approval.EXACT) == Waiting()
    assert gate(approval=Approval.AUTO) == Open(approvers=(AUTO,))


def test_blind_and_exact() -> None:
    """An approval without a digest is recorded as blind, and is not enough for an exact gate."""
    assert gate(BLIND) == Open(approvers=("ann",), blind=True)
    assert gate(EXACT) == Open(approvers=("eve",))
    waiting = gate(BLIND, approval=Approval.EXACT)
    assert isinstance(waiting, Waiting)
    assert [it.signal for it in waiting.ignored] == [BLIND]
    assert "blind" in waiting.ignored[0].reason
    opened = gate(BLIND, EXACT, approval=Approval.EXACT)
    assert (opened.by, opened.blind) == ("eve", False) if isinstance(opened, Open) else False


def test_wrong_digest_never_opens() -> None:
    """An approval of other arguments opens nothing, and says so."""
    waiting = gate(WRONG)
    assert waiting == Waiting(
        ignored=(
            Ignored(
                signal=WRONG,
                reason=f"approves digest {OTHER[:12]}, but the arguments have {DIGEST[:12]}",
            ),
        )
    )


def test_first_decision_wins() -> None:
    """After a rejection no approval counts, and after an approval no rejection."""
    assert gate(REJECT, EXACT) == Closed(by="rob", note="too early")
    assert gate(EXACT, REJECT) == gate(EXACT)
    closed = gate(WRONG, REJECT, EXACT)
    assert isinstance(closed, Closed)
    assert len(closed.ignored) == 1


def test_automatic_gate_can_be_shut() -> None:
    """Somebody who rejects an intent that asks nobody is heard if they come first."""
    assert gate(REJECT, approval=Approval.AUTO) == Closed(by="rob", note="too early")


def test_two_people() -> None:
    """Where two must approve, the second name opens the gate, and both are listed."""
    assert gate(ANN, approvals=2) == Waiting(approvers=("ann",))
    opened = gate(ANN, WRONG, EXACT, approvals=2)
    assert isinstance(opened, Open)
    assert (opened.approvers, opened.by, opened.blind) == (("ann", "eve"), "ann, eve", False)
    assert [it.signal for it in opened.ignored] == [WRONG]
    assert gate(ANN, EXACT, approvals=3) == Waiting(approvers=("ann", "eve"))


def test_one_person_counts_once() -> None:
    """The same name again, however it is spelt, is the same person, and says so."""
    waiting = gate(BLIND, ANN, SAME_ANN, approvals=2)
    assert isinstance(waiting, Waiting)
    assert waiting.approvers == ("ann",)
    assert {it.reason for it in waiting.ignored} == {
        "has approved already: this effect needs different people"
    }
    decomposed = [replace(ANN, by="Zoe\u0308"), replace(ANN, by="ZO\u00cb")]
    assert isinstance(gate(*decomposed, approvals=2), Waiting)


def test_blind_among_two() -> None:
    """One of two who did not name the digest makes the approval blind; an exact gate ignores it."""
    opened = gate(BLIND, EXACT, approvals=2)
    assert isinstance(opened, Open)
    assert opened.blind
    waiting = gate(BLIND, EXACT, approval=Approval.EXACT, approvals=2)
    assert isinstance(waiting, Waiting)
    assert waiting.approvers == ("eve",)


def test_rejected_before_all_have_approved() -> None:
    """Anybody's rejection closes a gate that is not open yet, the first approver's own included."""
    assert isinstance(gate(ANN, REJECT, EXACT, approvals=2), Closed)
    second_thoughts = replace(REJECT, by="ann")
    assert gate(ANN, second_thoughts, EXACT, approvals=2) == Closed(by="ann", note="too early")
    assert isinstance(gate(ANN, EXACT, REJECT, approvals=2), Open)


def test_other_arguments_after_a_reset() -> None:
    """Old approvals of other arguments count nothing; a blind one covers what it is allowed to."""
    assert isinstance(gate(WRONG, WRONG), Waiting)
    assert isinstance(gate(WRONG, BLIND), Open)
    assert isinstance(gate(WRONG, BLIND, approval=Approval.EXACT), Waiting)


@given(SIGNALS, st.integers(1, 3))
def test_more_people_are_stricter(signals: list[ApprovalSignal], approvals: int) -> None:
    """What opens for several people opens for fewer, and never by fewer different names."""
    decided = gate(*signals, approvals=approvals)
    if isinstance(decided, Open):
        assert len({name.casefold() for name in decided.approvers}) == approvals
        assert isinstance(gate(*signals), Open)


def test_other_intents_are_not_ours() -> None:
    """A decision about another intent neither opens this gate nor is listed as ignored."""
    assert gate(FOREIGN) == Waiting()


@given(SIGNALS, SIGNALS, st.sampled_from([Approval.REQUIRED, Approval.EXACT]), st.integers(1, 2))
def test_decisions_are_final(
    before: list[ApprovalSignal], after: list[ApprovalSignal], approval: Approval, approvals: int
) -> None:
    """Once a gate has opened or closed, whatever follows leaves it exactly as it is."""
    first = gate(*before, approval=approval, approvals=approvals)
    if not isinstance(first, Waiting):
        assert gate(*before, *after, approval=approval, approvals=approvals) == first


@given(SIGNALS, st.sampled_from(list(Approval)))
def test_open_needs_a_matching_approval(signals: list[ApprovalSignal], approval: Approval) -> None:
    """No sequence opens a gate that asks somebody without an approval fit for these arguments."""
    decided = gate(*signals, approval=approval)
    if isinstance(decided, Open) and approval is not Approval.AUTO:
        assert any(signal in (BLIND, EXACT) for signal in signals)
        assert approval is not Approval.EXACT or (EXACT in signals and not decided.blind)


@given(SIGNALS)
def test_exact_is_the_stricter_gate(signals: list[ApprovalSignal]) -> None:
    """What an exact gate lets pass, an ordinary one does too, or somebody opened it earlier."""
    if isinstance(gate(*signals, approval=Approval.EXACT), Open):
        assert isinstance(gate(*signals), Open)


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        (None, "JSON object"),
        ("send", "JSON object"),
        ([], "JSON object"),
        ({}, '"node"'),
        ({"node": "send"}, '"by"'),
        ({"node": "send", "by": "  "}, '"by"'),
        ({"node": "send", "by": "ann\n"}, '"by"'),
        ({"node": "send", "by": "\x1b[2J"}, '"by"'),
        ({"node": "send", "by": "ann\x00"}, '"by"'),
        ({"node": "send", "by": "\ud800"}, '"by"'),
        ({"node": "send", "by": "a" * 201}, '"by"'),
        ({"node": "", "by": "ann"}, '"node"'),
        ({"node": ["send"], "by": "ann"}, '"node"'),
        ({"node": "send", "by": "ann", "digset": DIGEST}, "digset"),
        ({"node": "send", "by": "ann", "digest": "abc"}, '"digest"'),
        ({"node": "send", "by": "ann", "digest": ""}, '"digest"'),
        ({"node": "send", "by": "ann", "digest": 1}, '"digest"'),
        ({"node": "send", "by": "ann", "note": {}}, '"note"'),
    ],
)
def test_malformed(payload: Any, word: str) -> None:
    """A payload that does not parse is malformed, with a reason that names what is wrong."""
    malformed = parse_signal("approve", payload)
    assert isinstance(malformed, Malformed)
    assert word in malformed.reason


def test_well_formed() -> None:
    """All four fields arrive; null is the same as left out."""
    full = {"node": "send", "by": "rob", "digest": DIGEST, "note": "no"}
    assert parse_signal("reject", full) == ApprovalSignal(
        answer="reject", intent="send", by="rob", digest=DIGEST, note="no"
    )
    assert parse_signal("approve", {"node": "send", "by": "ann", "digest": None}) == BLIND


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_parses_or_is_malformed(payload: Any) -> None:
    """No JSON value makes the parser raise."""
    assert isinstance(parse_signal("approve", payload), ApprovalSignal | Malformed)
