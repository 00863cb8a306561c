"""The DAG: edges, order, ancestry, and what each node calls."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.activities.model_call import ModelRequest
from forerun.workflows.graph import Graph
from forerun.workflows.spec import parse_spec
from forerun.workflows.templates import RenderError
from tests.workflows.specs import AUTO_REPLY, model, spec


def graph(**nodes: Any) -> Graph:
    return Graph.of(parse_spec({**spec(**nodes), "input": {"x": 1}}))


class TestEdges:
    def test_edges_are_the_names_in_any_template_of_a_node(self) -> None:
        """In `when`, system, prompt and arguments; in the order of the spec; each once."""
        built = graph(
            c=model(),
            a=model(),
            b={"effect": "e", "args": {"to": "{{ c }}"}},
            d=model(when="{{ a }}", system="{{ c }}", prompt="{{ b.state }} {{ a }}"),
            e={"tool": "t", "args": {"x": ["{{ d | upper }}", {"y": "{{ input.x }}"}]}},
        )

        assert built.nodes["d"].upstream == ("c", "a", "b")
        assert built.nodes["e"].upstream == ("d",)
        assert built.downstream == {"c": ["b", "d"], "a": ["d"], "b": ["d"], "d": ["e"], "e": []}
        assert built.ancestors("e") == ("c", "a", "b", "d")
        assert built.needs("e", "c")
        assert not built.needs("c", "e")
        assert not built.needs("c", "c")

    def test_nodes_come_in_topological_order_and_else_in_that_of_the_spec(self) -> None:
        """The same spec always gives the same order: histories depend on it."""
        built = graph(
            z=model(prompt="{{ a }}"), b=model(), y=model(prompt="{{ b }}"), a=model(), x=model()
        )

        assert list(built.nodes) == ["b", "y", "a", "z", "x"]

    @given(st.integers(2, 40).flatmap(lambda n: st.lists(st.integers(0, n - 1), min_size=n)))
    def test_ancestry_is_the_closure_of_the_edges(self, picks: list[int]) -> None:
        """For any DAG: node i may use node j only if j < i."""
        edges = {i: {pick % i} if i else set[int]() for i, pick in enumerate(picks)}
        built = graph(
            **{
                f"n{i}": model(prompt=" ".join(["go", *(f"{{{{ n{j} }}}}" for j in sorted(ups))]))
                for i, ups in edges.items()
            }
        )

        closure: dict[int, set[int]] = {}
        for i, ups in edges.items():
            closure[i] = ups.union(*(closure[j] for j in ups))
        for i, above in closure.items():
            assert set(built.ancestors(f"n{i}")) == {f"n{j}" for j in above}

    def test_a_chain_of_a_thousand_nodes_is_an_ordinary_spec(self) -> None:
        """Nothing recurses along edges, and dense DAGs are no harder."""
        chain = {f"n{i}": model(prompt=f"{{{{ n{i - 1} }}}}" if i else "go") for i in range(1000)}
        dense = {
            f"n{i}": model(prompt=" ".join(["go", *(f"{{{{ n{j} }}}}" for j in range(i))]))
            for i in range(120)
        }

        assert len(graph(**chain).ancestors("n999")) == 999
        assert len(graph(**dense).ancestors("n119")) == 119


class TestSkippedUpstream:
    @pytest.mark.parametrize(
        ("keys", "tolerated"),
        [
            ({"prompt": "{{ a }}"}, False),
            ({"prompt": "{% if a is defined %}{{ a.b }}{% endif %}"}, True),
            ({"prompt": "{{ a if a is not undefined else 'none' }}"}, True),
            ({"prompt": "{{ a | default('none') }}"}, True),
            ({"prompt": "{{ a.b is defined }}"}, False),
            ({"prompt": "{{ a }}", "system": "{{ a is defined }}"}, False),
            ({"prompt": "go", "when": "{{ a is not defined }}"}, True),
            ({"prompt": "{{ a }}", "when": "{{ a is defined }}"}, False),
        ],
    )
    def test_a_node_tolerates_it_where_every_template_that_reads_it_tests_it(
        self, keys: dict[str, Any], tolerated: bool
    ) -> None:
        """Otherwise it would be rendered without a value."""
        node = graph(a=model(), b=model(**keys)).nodes["b"]

        assert node.tolerates("a") is tolerated

    def test_a_tolerated_one_is_simply_left_out(self) -> None:
        """What the test then sees is that it is not defined."""
        node = graph(a=model(), b=model(prompt="{{ a if a is defined else 'none' }}")).nodes["b"]

        assert node.render({}).arguments["prompt"] == "none"
        assert node.render({"a": "x"}).arguments["prompt"] == "x"


class TestCalls:
    def test_a_model_node_renders_the_fields_of_a_model_request(self) -> None:
        """All but the expected length, which is an estimate and not a part of the call."""
        node = graph(
            a=model(
                model="anthropic:claude:x",
                prompt="{{ input }}",
                system="{{ input.x }}!",
                choices=["yes", "no"],
                temperature=0.5,
            )
        ).nodes["a"]

        call = node.render({})

        assert call.operation == "anthropic:claude:x"
        assert ModelRequest(**call.arguments) == ModelRequest(
            provider="anthropic",
            model="claude:x",
            prompt='{"x":1}',
            system="1!",
            choices=("yes", "no"),
            schema=None,
            max_output_tokens=19,
            temperature=0.5,
        )

    def test_an_operation_node_renders_its_arguments(self) -> None:
        """With their types."""
        nodes = Graph.of(parse_spec(AUTO_REPLY)).nodes

        lookup = nodes["lookup"].render({"classify": "bug"})
        send = nodes["send"].render({"draft": "Hello"})

        assert (lookup.operation, lookup.arguments) == ("kb.search", {"topic": "bug"})
        assert (send.operation, send.arguments) == ("outbox.put", {"to": "...", "body": "Hello"})
        assert [node.effect for node in nodes.values()] == [False, False, False, False, True]

    def test_what_a_guess_does_not_change_gives_the_same_call(self) -> None:
        """Fields that nobody consumes, and how a number is written, don't matter."""
        node = graph(a=model(schema={}), b={"tool": "t", "args": {"n": "{{ a.n }}"}}).nodes["b"]

        assert node.render({"a": {"n": 1, "why": "x"}}) == node.render({"a": {"n": 1.0}})

    def test_when_is_one_expression_taken_as_a_boolean(self) -> None:
        """A node without one always runs."""
        nodes = graph(a=model(), b=model(when="{{ a }}"), c=model(when="{{ a.b }}")).nodes

        assert nodes["a"].runs({})
        assert nodes["b"].runs({"a": "false"})
        assert not nodes["b"].runs({"a": []})
        with pytest.raises(RenderError, match=r"^nodes\.c\.when: a is a text"):
            nodes["c"].runs({"a": "x"})

    def test_values_win_over_the_input_of_the_run(self) -> None:
        """`input` itself is at hand for every template."""
        node = graph(a=model(prompt="{{ input.x }}")).nodes["a"]

        assert node.render({}).arguments["prompt"] == "1"
        assert node.render({"input": {"x": 2}}).arguments["prompt"] == "2"
