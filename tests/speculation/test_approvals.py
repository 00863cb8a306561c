"""The gate: only the first valid decision for an intent counts, and malformed ones count nothing."""

from __future__ import annotations

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


def gate(
    *signals: ApprovalSignal, approval: Approval = Approval.REQUIRED
) -> Open | Closed | Waiting:
    return decide_gate(signals, intent="send", digest=DIGEST, approval=approval)


def test_nothing_said() -> None:
    """Without a signal a gate waits, unless the operation's registration asks nobody."""
    assert gate() == Waiting()
    assert gate(approval=Approval.EXACT) == Waiting()
    assert gate(approval=Approval.AUTO) == Open(by=AUTO)


def test_blind_and_exact() -> None:
    """An approval without a digest is recorded as blind, and is not enough for an exact gate."""
    assert gate(BLIND) == Open(by="ann", blind=True)
    assert gate(EXACT) == Open(by="eve", digest=DIGEST)
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


def test_other_intents_are_not_ours() -> None:
    """A decision about another intent neither opens this gate nor is listed as ignored."""
    assert gate(FOREIGN) == Waiting()


@given(SIGNALS, SIGNALS, st.sampled_from([Approval.REQUIRED, Approval.EXACT]))
def test_decisions_are_final(
    before: list[ApprovalSignal], after: list[ApprovalSignal], approval: Approval
) -> None:
    """Once a gate has opened or closed, whatever follows leaves it exactly as it is."""
    first = gate(*before, approval=approval)
    if not isinstance(first, Waiting):
        assert gate(*before, *after, approval=approval) == first


@given(SIGNALS, st.sampled_from(list(Approval)))
def test_open_needs_a_matching_approval(signals: list[ApprovalSignal], approval: Approval) -> None:
    """No sequence opens a gate that asks somebody without an approval fit for these arguments."""
    decided = gate(*signals, approval=approval)
    if isinstance(decided, Open) and approval is not Approval.AUTO:
        assert any(signal in (BLIND, EXACT) for signal in signals)
        assert not (approval is Approval.EXACT and decided.digest != DIGEST)


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
