"""Checkpoints on the run's side: handed out, read, and never trusted."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.activities.checkpoints import RateLimited
from forerun.workflows.checkpoints import (
    CHECKPOINTS_PER_CALL,
    MAX_MESSAGE_BYTES,
    NOTICES_PER_CALL,
    SIGNALS_PER_RUN,
    Checkpoints,
)

DEEP: Any = reduce(lambda inner, _: [inner], range(100_000), list[Any]())
LIMITED: dict[str, Any] = {
    "call": "a",
    "attempt": 1,
    "provider": "openai",
    "rate_limited_seconds": 30.0,
}


def checkpoint(sequence: Any = 1, attempt: Any = 1, **fields: Any) -> dict[str, Any]:
    usual = {"call": "a", "attempt": attempt, "sequence": sequence, "delivered_tokens": 3}
    return {**usual, "value": f"{attempt}.{sequence}", **fields}


def granted(*calls: str) -> Checkpoints:
    checkpoints = Checkpoints()
    for call in calls:
        checkpoints.grant(call, output=True)
    return checkpoints


class TestReceiving:
    @given(st.permutations([(a, s) for a in (1, 2) for s in (1, 2, 3)]))
    def test_the_newest_counts_in_whatever_order_they_come(
        self, order: list[tuple[int, int]]
    ) -> None:
        """A later attempt is newer than any message of an earlier one."""
        checkpoints = granted("a")
        for end, (attempt, sequence) in enumerate(order, start=1):
            checkpoints.receive((checkpoint(sequence, attempt),))

            newest = checkpoints.latest("a")
            assert newest is not None
            assert (newest.attempt, newest.sequence) == max(order[:end])
            assert newest.value == f"{newest.attempt}.{newest.sequence}"

    def test_calls_are_told_apart(self) -> None:
        """And of a call that has told nothing there is nothing."""
        checkpoints = granted("a", "b", "c")
        checkpoints.receive((checkpoint(value={"topic": "x"}),))
        checkpoints.receive((checkpoint(call="b", value="y"),))

        values = [checkpoints.latest(call) for call in ("a", "b", "c", "d")]
        assert [v and v.value for v in values] == [{"topic": "x"}, "y", None, None]

    def test_a_rate_limit_is_handed_on(self) -> None:
        """It is about the provider, and no news of the output."""
        checkpoints = granted("a")

        assert checkpoints.receive((LIMITED,)) == RateLimited(**LIMITED)
        assert checkpoints.receive((checkpoint(),)) is None
        assert checkpoints.receive((LIMITED,)) == RateLimited(**LIMITED)

        newest = checkpoints.latest("a")
        assert newest is not None
        assert newest.value == "1.1"

    @pytest.mark.parametrize(
        "payloads",
        [
            (),
            (checkpoint(), checkpoint()),
            (None,),
            (b"\xff",),
            ("checkpoint",),
            ([checkpoint()],),
            ({},),
            ({1: 2},),
            (checkpoint(call=None),),
            (checkpoint(call="nobody"),),
            (checkpoint(call="\ud800"),),
            (checkpoint(attempt=0),),
            (checkpoint(sequence=0),),
            (checkpoint(sequence=1.5),),
            (checkpoint(sequence=True),),
            (checkpoint(sequence="1"),),
            (checkpoint(delivered_tokens=-1),),
            (checkpoint(value=float("nan")),),
            (checkpoint(value=float("inf")),),
            (checkpoint(value=b"bytes"),),
            (checkpoint(value={1: 2}),),
            (checkpoint(value="\ud800"),),
            (checkpoint(value=10**5000),),
            (checkpoint(value=DEEP),),
            (checkpoint(value="x" * MAX_MESSAGE_BYTES),),
            ({**LIMITED, "call": "nobody"},),
            ({**LIMITED, "provider": 1},),
            ({**LIMITED, "rate_limited_seconds": -1},),
            ({**LIMITED, "rate_limited_seconds": 1e300},),
            ({**LIMITED, "rate_limited_seconds": float("inf")},),
            ({**LIMITED, "rate_limited_seconds": "30"},),
        ],
    )
    def test_what_is_malformed_or_foreign_is_counted_and_ignored(
        self, payloads: tuple[Any, ...]
    ) -> None:
        """An error here would retry the workflow task for ever."""
        checkpoints = granted("a")

        assert checkpoints.receive(payloads) is None

        assert checkpoints.ignored == 1
        assert checkpoints.latest("a") is None
        assert checkpoints.latest("nobody") is None


class TestAllowance:
    def test_what_is_asked_for_is_granted(self) -> None:
        """Few for the rate limits of any call, more for one that is followed."""
        checkpoints = Checkpoints()

        plain = checkpoints.grant("a")
        followed = checkpoints.grant("b", output=True, field="topic")

        assert plain is not None
        assert (plain.most, plain.output, plain.field) == (NOTICES_PER_CALL, False, None)
        assert followed is not None
        assert (followed.most, followed.output) == (CHECKPOINTS_PER_CALL, True)
        assert followed.field == "topic"

    @given(
        st.integers(SIGNALS_PER_RUN - 50, SIGNALS_PER_RUN),
        st.lists(st.tuples(st.booleans(), st.integers(0, CHECKPOINTS_PER_CALL), st.booleans())),
    )
    def test_a_run_never_gets_more_than_its_allowance(
        self, received: int, calls: list[tuple[bool, int, bool]]
    ) -> None:
        """Whatever its calls use of what they were granted, and whether they end or not."""
        checkpoints = Checkpoints()
        for _ in range(received):
            checkpoints.receive(())
        for index, (output, used, ends) in enumerate(calls):
            call = f"call-{index}"
            watch = checkpoints.grant(call, output=output)
            for sequence in range(min(used, watch.most if watch else 0)):
                checkpoints.receive((checkpoint(sequence + 1, call=call),))
                received += 1
            if ends:
                checkpoints.ended(call)

        assert received <= SIGNALS_PER_RUN

    def test_all_of_it_is_handed_out(self) -> None:
        """To calls in flight at once, then to none; one that ends leaves the rest of its share."""
        checkpoints, most = Checkpoints(), list[int]()
        while (watch := checkpoints.grant(f"call-{len(most)}", output=True)) is not None:
            most.append(watch.most)
        assert sum(most) == SIGNALS_PER_RUN == 2_000

        checkpoints.receive((checkpoint(call="call-0"),))
        checkpoints.ended("call-0")

        again = checkpoints.grant("again", output=True)
        assert again is not None
        assert again.most == CHECKPOINTS_PER_CALL - 1
        assert checkpoints.grant("too late") is None

    def test_a_message_after_the_end_of_its_call_counts_all_the_same(self) -> None:
        """It is in history, too; so is one that nobody asked for."""
        late, foreign = granted("a"), granted("a")
        late.ended("a")
        foreign.ended("a")
        for sequence in range(SIGNALS_PER_RUN):
            late.receive((checkpoint(sequence + 1),))
            foreign.receive(("hello",))

        assert late.ignored == 0
        assert foreign.ignored == SIGNALS_PER_RUN
        assert late.grant("b") is None
        assert foreign.grant("b") is None
