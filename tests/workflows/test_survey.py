"""The survey: bounded where DAGs are wide or dense, and aware of every way to one call."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forerun.activities.operation import OperationCard
from forerun.speculation.effect_class import EffectClass
from forerun.speculation.guess import Guess
from forerun.speculation.table import CallTable, Given, Guessed, Inputs, SpeculativeCall
from forerun.workflows.allowance import Allowance
from forerun.workflows.checkpoints import Checkpoints
from forerun.workflows.dispatch import Dispatcher
from forerun.workflows.evidence import Evidence
from forerun.workflows.graph import Graph
from forerun.workflows.guesses import Sources
from forerun.workflows.planning import Planner
from forerun.workflows.possible import CALLS_PER_BATCH, PossibleBet, batches
from forerun.workflows.purchases import Purchases
from forerun.workflows.run_state import Nodes, NodeState
from forerun.workflows.spec import parse_spec
from forerun.workflows.survey import Survey
from forerun.workflows.variants import COMBINATIONS_PER_NODE, Variant, combinations


class House:
    """A run without a server: its nodes, table and survey; the first node is running."""

    def __init__(self, nodes: dict[str, Any], *cards: OperationCard) -> None:
        graph = Graph.of(parse_spec({"version": 1, "nodes": nodes}))
        self.nodes = Nodes(graph)
        self.table = CallTable()
        self.guesses: dict[str, Guess] = {}
        self.planner = Planner(graph, {card.name: card for card in cards})
        told = Checkpoints()
        bought = Purchases(self.nodes, self.planner, Dispatcher(Allowance(), told))
        evidence = Evidence(self.nodes, self.table, self.guesses)
        sources = Sources(self.nodes, self.table, told, bought, evidence)
        self.survey = Survey(self.nodes, self.table, self.guesses, self.planner, sources, bought)
        next(iter(self.nodes)).state = NodeState.RUNNING

    def done(self, id: str, node: str, inputs: Inputs, output: str) -> SpeculativeCall:
        """Enter a speculation that is done, rendered from guesses."""
        values = {up: self._value(up, source) for up, source in inputs.items()}
        call = self.planner.plan(node, values).call
        speculation = SpeculativeCall(
            id=id,
            node=node,
            call=call,
            fingerprint=call.fingerprint,
            bet="",
            label="",
            worst_usd=Decimal(0),
            launched_ms=0,
            alternatives=[inputs],
            output=output,
            done_ms=1,
        )
        self.table.add(speculation)
        return speculation

    def _value(self, up: str, source: object) -> Any:
        return self.guesses[source.guess].value if isinstance(source, Guessed) else up


def model(prompt: str, *guesses: tuple[Any, float], **more: Any) -> dict[str, Any]:
    """A model node with constant guesses."""
    offered = [{"from": "value", "value": value, "p": p} for value, p in guesses]
    return {
        "model": "openai:sim-mid",
        "prompt": prompt,
        **({"guess": offered} if offered else {}),
        **more,
    }


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


def _publish(house: House) -> Any:
    found = [
        bet.calls["publish"]
        for bet in house.survey.look(max_depth=3).bets
        if "publish" in bet.calls
    ]
    return next(call for call in found if call.planned)


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
