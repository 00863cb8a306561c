"""What results of speculations say of guesses, before anything is certain."""

from __future__ import annotations

from decimal import Decimal

from forerun.speculation.table import Given, Guessed
from tests.workflows.surveyed import House, model

REVIEWED = {
    "c": model("c", ("x", 0.5)),
    "draft": model("{{ c }}", ("fine", 0.4)),
    "publish": model("{{ draft }}"),
}


def test_a_result_speaks_for_its_value_and_against_all_others() -> None:
    """Right with the guess that it was made on; else only what was known before is known."""
    same, other = House(REVIEWED), House(REVIEWED)
    for house, output in ((same, "fine"), (other, "poor")):
        house.survey.look(max_depth=3)
        c, draft = house.guesses
        house.done("s1", "draft", {"c": Guessed(c)}, output)
        house.survey.look(max_depth=3)

        beliefs = {guess.node: guess.belief.mean for guess in house.guesses.values()}
        expected = Decimal("0.7") if output == "fine" else Decimal("0.2")
        assert beliefs == {"c": Decimal("0.5"), "draft": expected}
        assert draft in house.guesses


def test_results_on_guesses_that_exclude_each_other_add_up() -> None:
    """Whichever came first: one of them is right at most, and what is left is for the stated p."""
    for swapped in (False, True):
        nodes = {**REVIEWED, "c": model("c", ("x", 0.5), ("y", 0.4))}
        house = House(nodes)
        house.survey.look(max_depth=3)
        x, y, draft = house.guesses
        results = [("s1", x, "fine"), ("s2", y, "poor")]
        for id, guess, output in reversed(results) if swapped else results:
            house.done(id, "draft", {"c": Guessed(guess)}, output)

        house.survey.look(max_depth=3)

        assert house.guesses[draft].belief.mean == Decimal("0.54")  # 0.5 + 0.1 * 0.4


def test_a_result_with_two_ways_on_the_same_guesses_counts_once() -> None:
    """Two ways that hold together are one chance."""
    house = House(REVIEWED)
    house.survey.look(max_depth=3)
    c, draft = house.guesses
    done = house.done("s1", "draft", {"c": Guessed(c)}, "poor")
    done.alternatives.append({"c": Guessed(c, None), "d": Given()})

    house.survey.look(max_depth=3)

    assert house.guesses[draft].belief.mean == Decimal("0.2")


def test_guesses_that_a_result_says_exclude_each_other_are_no_bet() -> None:
    """If c is x the draft is poor: nothing is bet on both x and a fine draft."""
    nodes = {**REVIEWED, "publish": model("{{ c }} {{ draft }}")}
    house = House(nodes)
    before = {bet.guesses for bet in house.survey.look(max_depth=3).bets}
    c, draft = house.guesses
    house.done("s1", "draft", {"c": Guessed(c)}, "poor")

    after = {bet.guesses for bet in house.survey.look(max_depth=3).bets}

    assert (c, draft) in before
    assert after == {(c,)}


def test_a_result_says_nothing_where_other_words_may_stand_for_it() -> None:
    """An answer that differs may still be accepted: no guess is ruled out by it."""
    approximable = {**REVIEWED, "draft": {**REVIEWED["draft"], "equivalence": 2}}
    house = House(approximable)
    house.survey.look(max_depth=3)
    c, draft = house.guesses
    house.done("s1", "draft", {"c": Guessed(c)}, "poor")

    house.survey.look(max_depth=3)

    assert house.guesses[draft].belief.mean == Decimal("0.4")
