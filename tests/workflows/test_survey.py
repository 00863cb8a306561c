"""The survey: bounded where DAGs are wide or dense, and aware of every way to one call."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forerun.activities.operation import OperationCard
from forerun.speculation.effect_class import EffectClass
from forerun.speculation.table import Given, Guessed
from forerun.workflows.possible import CALLS_PER_BATCH, PossibleBet, batches
from forerun.workflows.run_state import NodeState
from forerun.workflows.survey import WAYS_PER_SURVEY
from forerun.workflows.variants import COMBINATIONS_PER_NODE, Variant, combinations
from tests.workflows.surveyed import House, model


def calls(bet: PossibleBet) -> set[str]:
    """The nodes whose calls are in a bet."""
    return set(bet.calls)


def test_a_join_of_many_guessed_nodes_is_surveyed_at_once() -> None:
    """Forty reviewers with two variants each are not 2^40 combinations."""
    nodes = {"root": model("c", ("a", 0.8))}
    nodes |= {f"r{i}": model("{{ root }}", ("ok", 0.9)) for i in range(40)}
    nodes["join"] = model(" ".join(f"{{{{ r{i} }}}}" for i in range(40)))

    (bet,) = House(nodes).survey.look(max_depth=3).bets

    assert "join" in bet.calls


def test_a_deep_dag_is_surveyed_near_its_front() -> None:
    """A thousand nodes, every tenth guessed: what lies far ahead can wait, a task cannot."""
    nodes: dict[str, Any] = {}
    before: list[str] = []
    for block in range(100):
        gate = f"gate{block}"
        nodes[gate] = model("".join(f"{{{{ {worker} }}}}" for worker in before) or "c", ("go", 0.9))
        workers = [f"w{block}_{i}" for i in range(9)]
        for i, worker in enumerate(workers):
            read = f"{{{{ {before[i]} }}}}" if before else ""
            nodes[worker] = model(f"{{{{ {gate} }}}}{read}")
        before = workers
    house = House(nodes)

    (bet,) = house.survey.look(max_depth=3).bets

    assert {f"w0_{i}" for i in range(9)} <= calls(bet)
    assert house.survey.ways <= WAYS_PER_SURVEY + COMBINATIONS_PER_NODE


@given(
    st.lists(st.lists(st.sets(st.integers(0, 5), max_size=2), max_size=3), min_size=1, max_size=4)
)
def test_combinations_are_the_product_less_what_excludes_itself(
    drawn: list[list[set[int]]],
) -> None:
    """Folding node by node finds what the whole product holds, fewest guesses first."""
    names = ["a@0", "a@1", "b@0", "b@1", "c@0", "d@0"]
    upstream = [
        [Variant(Given(), tuple(sorted(names[i] for i in chosen))) for chosen in variants]
        for variants in drawn
    ]
    upstream = [[v for v in vs if _consistent(v.guesses)] for vs in upstream]
    expected = [
        chosen
        for chosen in itertools.product(*upstream)
        if _consistent(ids := {g for v in chosen for g in v.guesses}) and len(ids) <= 3
    ]

    found = combinations(upstream, 3)

    assert len(found) <= COMBINATIONS_PER_NODE
    if len(expected) <= 16:
        assert sorted(str(c.chosen) for c in found) == sorted(map(str, expected))
    assert [len(c.guesses) for c in found] == sorted(len(c.guesses) for c in found)


def _consistent(guesses: Collection[str]) -> bool:
    """Whether each is for another node."""
    return len({guess[0] for guess in guesses}) == len(guesses)


def test_exclusive_guesses_that_lead_to_one_call_are_alternatives() -> None:
    """Two values that differ where nobody looks are two chances for the same call."""
    guesses = (({"t": "a", "n": 1}, 0.4), ({"t": "a", "n": 2}, 0.4))
    house = House({"c": model("c", *guesses, schema={"type": "object"}), "d": model("{{ c.t }}")})

    (bet,) = house.survey.look(max_depth=3).bets

    assert calls(bet) == {"d"}
    assert [bet.guesses, *bet.otherwise] == [(guess,) for guess in house.guesses]


def test_an_alternative_for_some_of_the_calls_is_none_for_the_bet() -> None:
    """Another call of the bet reads the field in which the guesses differ."""
    guesses = (({"t": "a", "n": 1}, 0.4), ({"t": "a", "n": 2}, 0.4))
    house = House(
        {
            "c": model("c", *guesses, schema={"type": "object"}),
            "d": model("{{ c.t }}"),
            "e": model("{{ c.n }}"),
        }
    )

    both, second = house.survey.look(max_depth=3).bets

    assert (calls(both), both.otherwise) == ({"d", "e"}, [])
    assert calls(second) == {"e"}


def test_one_value_from_two_results_is_two_ways() -> None:
    """The guess holds if either speculation does: refuting the first leaves the second."""
    house = House(
        {
            "c": model("c", ("x", 0.5), ("y", 0.4)),
            "draft": model("{{ c }}"),
            "verify": {
                **model("{{ draft }}"),
                "guess": [{"from": "node", "node": "draft", "p": 0.8}],
            },
            "publish": model("{{ verify }}"),
        }
    )
    house.survey.look(max_depth=3)
    x, y = house.guesses
    first = house.done("s1", "draft", {"c": Guessed(x)}, "same")
    house.done("s2", "draft", {"c": Guessed(y)}, "same")

    ways = _publish(house).ways
    first.cut_reason = "c ended otherwise"

    assert len(ways) == 2
    (left,) = _publish(house).alternatives
    assert isinstance(left["verify"], Guessed)
    assert left["verify"].made_from == "s2"


def _publish(house: House) -> Any:
    found = [
        bet.calls["publish"]
        for bet in house.survey.look(max_depth=3).bets
        if "publish" in bet.calls
    ]
    return next(call for call in found if call.planned)


def test_what_reads_an_effect_is_refused_until_it_has_ended() -> None:
    """And the record says so, of every guess that would else have led there."""
    card = OperationCard(name="pay", version="1", effect=EffectClass.IRREVERSIBLE, arguments={})
    nodes: dict[str, Any] = {
        "c": model("c", ("x", 0.5)),
        "send": {"effect": "pay", "args": {}},
        "log": model("{{ c }} {{ send }}"),
    }
    house = House(nodes, card)

    (bet,) = house.survey.look(max_depth=3).bets
    house.nodes["send"].state = NodeState.DONE
    (after,) = house.survey.look(max_depth=3).bets

    assert [(one.node, one.reason) for one in bet.refused] == [("log", "effect upstream")]
    assert (bet.calls, calls(after)) == ({}, {"log"})


def test_nothing_runs_past_a_stage() -> None:
    """What is stageable is a call of its bet, and what reads its receipt is not even considered."""
    cards = [
        OperationCard(name=name, version="1", effect=effect, arguments={})
        for name, effect in (
            ("note", EffectClass.STAGEABLE),
            ("send", EffectClass.IRREVERSIBLE),
            ("read", EffectClass.READ),
        )
    ]
    house = House(
        {
            "c": model("c", ("x", 0.5)),
            "note": {"effect": "note", "args": {"title": "{{ c }}"}},
            "quiet": {"effect": "note", "args": {"title": "{{ c }}"}, "speculate": False},
            "send": {"effect": "send", "args": {"body": "{{ c }}"}},
            "past": {"tool": "read", "args": {"key": "{{ note.key }}"}},
        },
        *cards,
    )

    (bet,) = house.survey.look(max_depth=3).bets

    assert calls(bet) == {"note"}
    assert [(refusal.node, refusal.reason) for refusal in bet.refused] == [("send", "irreversible")]


def test_a_second_survey_renders_nothing_again() -> None:
    """What a choice of inputs leads to never changes."""
    house = House({"c": model("c", ("x", 0.5)), "d": model("{{ c }}")})

    (one,), (two,) = (house.survey.look(max_depth=3).bets for _ in range(2))

    assert one.calls["d"].planned is two.calls["d"].planned
    assert one.question == two.question


def test_batches_are_bounded_by_their_calls() -> None:
    """No marker holds more calls than it has room for, and no bet is lost."""
    nodes = {f"c{i}": model("c", ("x", 0.5)) for i in range(5)}
    nodes |= {f"d{i}_{j}": model(f"{j} {{{{ c{i} }}}}") for i in range(5) for j in range(60)}
    house = House(nodes)

    bets = house.survey.look(max_depth=3).bets
    found = list(batches(bets))

    assert [bet for batch in found for bet in batch] == bets
    assert all(sum(len(bet.calls) for bet in batch) <= CALLS_PER_BATCH for batch in found)
