"""The call table: claims by fingerprint, inherited assumptions, and refutation."""

from __future__ import annotations

from decimal import Decimal

from forerun.speculation.call import Call
from forerun.speculation.table import (
    Accepted,
    CallTable,
    Ending,
    Given,
    Guessed,
    Inputs,
    Resulting,
    SpeculativeCall,
)


def entered(table: CallTable, id: str, *alternatives: Inputs) -> SpeculativeCall:
    """A launched speculation of its own node."""
    call = Call(operation="echo", version="1", arguments={"value": id})
    speculation = SpeculativeCall(
        id=id,
        node=id,
        call=call,
        fingerprint=call.fingerprint,
        bet="",
        label="",
        worst_usd=Decimal(1),
        launched_ms=0,
        alternatives=list(alternatives),
    )
    table.add(speculation)
    return speculation


def test_a_result_hands_on_its_assumptions_and_adds_none() -> None:
    """Depth is the number of guesses, not of calls."""
    table = CallTable()
    entered(table, "b", {"a": Guessed("a@1")})
    entered(table, "c", {"a": Guessed("a@1"), "b": Resulting("b")})

    assert table.assumptions({"c": Resulting("c")}) == ("a@1",)
    assert table.assumptions({"c": Resulting("c"), "d": Guessed("d@2")}) == ("a@1", "d@2")


def test_a_guess_made_from_a_result_carries_that_results_assumptions() -> None:
    """`node` guesses from a speculative draft hold only if the draft does."""
    table = CallTable()
    entered(table, "draft", {"a": Guessed("a@1")})

    assert table.assumptions({"verify": Guessed("verify@9", "draft")}) == ("a@1", "verify@9")


def test_an_accepted_guess_is_certain() -> None:
    """It was found to say the same as the answer, which is there: nothing rests on it any more."""
    table = CallTable()
    entered(table, "b", {"a": Accepted("a@1"), "x": Guessed("x@2")})

    assert table.assumptions({"b": Resulting("b"), "a": Accepted("a@1")}) == ("x@2",)


def test_a_claimed_result_is_certain() -> None:
    """Once claimed, a speculation is authoritative and hands on nothing."""
    table = CallTable()
    entered(table, "b", {"a": Guessed("a@1")}).claimed_by = "b"

    assert table.assumptions({"b": Resulting("b")}) == ()


def test_what_another_node_has_claimed_still_rests_on_its_guesses() -> None:
    """Two nodes may need the same call: the answer of one says nothing of the other's inputs."""
    table = CallTable()
    entered(table, "b", {"a": Guessed("a@1")}).claimed_by = "c"

    assert table.assumptions({"b": Resulting("b")}) == ("a@1",)


def test_only_open_speculations_are_claimable() -> None:
    """Cut, failed, settled or claimed: never claimed (again)."""
    table = CallTable()
    one = entered(table, "b", {"a": Guessed("a@1")})
    assert table.claimable(one.fingerprint) is one

    one.cut_reason = "a ended otherwise"
    assert table.claimable(one.fingerprint) is None

    one.cut_reason, one.ending = None, Ending.FAILED
    assert table.claimable(one.fingerprint) is None

    one.ending, one.claimed_by = None, "b"
    assert table.claimable(one.fingerprint) is None


def test_refutation_takes_what_rests_on_the_result_and_nothing_else() -> None:
    """An alternative by another way keeps a speculation alive."""
    table = CallTable()
    b = entered(table, "b", {"a": Guessed("a@1")})
    lost = entered(table, "c", {"b": Resulting("b")})
    kept = entered(table, "d", {"b": Resulting("b")}, {"b": Guessed("b@7")})
    beside = entered(table, "e", {"a": Given()})

    assert table.refute(b) == [lost]
    assert kept.alternatives == [{"b": Guessed("b@7")}]
    assert beside.alternatives == [{"a": Given()}]
