"""What follows from guesses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.bet import Implication, implied

GUESSES = st.sampled_from([f"{node}@{value}" for node in "abcd" for value in "xy"])
SETS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xy"), max_size=3).map(
    lambda found: tuple(sorted(f"{node}@{value}" for node, value in found.items()))
)


@given(SETS, st.lists(st.builds(Implication, SETS, GUESSES), max_size=6))
def test_what_follows_from_guesses_is_the_least_that_is_closed(
    guesses: tuple[str, ...], known: list[Implication]
) -> None:
    """Everything that follows is in, nothing else is; two values for one node are a contradiction."""
    closed = set(guesses)
    for _ in known:
        closed |= {one.says for one in known if closed.issuperset(one.guesses)}

    found = implied(guesses, known)

    contradicts = len({guess[0] for guess in closed}) < len(closed)
    assert (found is None) == contradicts
    assert found is None or set(found.values()) == closed
