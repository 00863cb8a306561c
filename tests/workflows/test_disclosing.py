"""Which arguments of a call rest on a guess, by what their templates read."""

from __future__ import annotations

from typing import Any

from forerun.workflows.disclosing import guessed_arguments
from forerun.workflows.graph import Graph
from forerun.workflows.node import Node
from forerun.workflows.spec import parse_spec
from forerun.workflows.steps import tool_node


def reading(**keys: Any) -> Node:
    """A node that reads from `a` and `b`."""
    models = {name: {"model": "openai:sim-mid", "prompt": "p"} for name in ("a", "b")}
    nodes = {**models, "read": {"tool": "x", **keys}}
    return Graph.of(parse_spec({"version": 1, "nodes": nodes})).node("read")


def test_arguments_are_named_as_policies_name_them() -> None:
    """By keys and indices from the arguments object on, however deep."""
    args = {"to": {"email": "{{ a }}"}, "items": [{"name": "{{ b }}"}, "{{ a.x }} {{ b }}"]}
    node = reading(args={**args, "limit": 1})

    assert guessed_arguments(node, ["a"]) == ["to.email", "items[1]"]
    assert guessed_arguments(node, ["b"]) == ["items[0].name", "items[1]"]
    assert guessed_arguments(node, []) == []


def test_an_item_is_as_uncertain_as_its_list() -> None:
    """Of the node, and of each of its items, also of one that is not there yet."""
    args = {"topic": "{{ item }}", "rank": "{{ index }}", "about": "{{ b }}"}
    node = reading(for_each="{{ a }}", args=args)

    for one in (node, node.item(7)):
        assert guessed_arguments(one, ["a"]) == ["topic", "rank"]
        assert guessed_arguments(one, ["b"]) == ["about"]


def test_a_function_makes_all_of_them() -> None:
    """Nobody can tell which of its arguments a function takes from where."""

    def about(a: str) -> dict[str, Any]:
        return {"topic": a}

    node = tool_node("read", "x", about, ("a",), None, {})

    assert guessed_arguments(node, ["a"]) == [""]
    assert guessed_arguments(node, []) == []
