"""Specs: what is right is parsed whole, what is wrong is one line with its path and its fix."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from forerun.workflows.spec import (
    EffectNode,
    ModelNode,
    SpecError,
    ToolNode,
    ValueGuess,
    parse_spec,
    spec_schema,
    unsupported_features,
)

AUTO_REPLY: dict[str, Any] = {
    "version": 1,
    "workload": "auto-reply",
    "policy": {
        "alpha": 0.5,
        "usd_per_second": "0.01",
        "budget_usd": "0.50",
        "max_breadth": 3,
        "max_depth": 3,
    },
    "input": {"email": "...", "from": "..."},
    "nodes": {
        "classify": {
            "model": "openai:sim-mid",
            "prompt": "... {{ input.email }}",
            "choices": ["billing", "bug", "sales"],
            "guess": [{"from": "value", "value": "billing", "p": 0.6}],
        },
        "lookup": {"tool": "kb.search", "args": {"topic": "{{ classify }}"}},
        "draft": {
            "model": "anthropic:sim-mid",
            "prompt": "... {{ classify }} {{ lookup.text }}",
            "max_output_tokens": 500,
        },
        "escalate": {
            "model": "openai:sim-mid",
            "prompt": "...",
            "when": "{{ classify == 'bug' }}",
        },
        "send": {"effect": "outbox.put", "args": {"to": "{{ input.from }}", "body": "{{ draft }}"}},
    },
}
MODEL: dict[str, Any] = {"model": "openai:sim-mid", "prompt": "p"}
GUESS: dict[str, Any] = {"from": "value", "value": "x", "p": 0.5}
DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]


def spec(**nodes: Any) -> dict[str, Any]:
    return {"version": 1, "nodes": nodes}


def model(**keys: Any) -> dict[str, Any]:
    return {**MODEL, **keys}


def refusal(raw: object) -> SpecError:
    with pytest.raises(SpecError) as caught:
        parse_spec(raw)
    return caught.value


class TestRightSpecs:
    def test_the_example_of_the_contract_is_parsed(self) -> None:
        """Money and probabilities are Decimals, kinds are types."""
        parsed = parse_spec(AUTO_REPLY)

        classify, lookup, send = (parsed.nodes[n] for n in ("classify", "lookup", "send"))
        assert isinstance(classify, ModelNode)
        assert isinstance(classify.guess[0], ValueGuess)
        assert classify.guess[0].p == Decimal("0.6")
        assert isinstance(lookup, ToolNode)
        assert isinstance(send, EffectNode)
        assert parsed.policy.usd_per_second == Decimal("0.01")
        assert parsed.operations == ("kb.search", "outbox.put")
        assert list(parsed.nodes) == list(AUTO_REPLY["nodes"])

    def test_only_version_and_nodes_are_required(self) -> None:
        """Everything else has the default of the contract."""
        parsed = parse_spec(spec(a=MODEL))

        assert parsed.policy.model_dump(mode="json") == {
            "alpha": "0.5",
            "usd_per_second": "0.01",
            "budget_usd": "0.50",
            "max_breadth": 3,
            "max_depth": 3,
            "p_bound": None,
        }
        node = parsed.nodes["a"]
        assert (node.equivalence, node.speculate, node.concurrency) == (1, True, 8)
        assert (node.when, node.retries, node.timeout_seconds) == (None, None, None)

    @pytest.mark.parametrize("budget", ["0.1", 0.1])
    def test_money_enters_through_its_text(self, budget: object) -> None:
        """A JSON number 0.1 is one tenth, not the float next to it."""
        parsed = parse_spec({**spec(a=MODEL), "policy": {"budget_usd": budget}})

        assert parsed.policy.budget_usd == Decimal("0.1")

    @pytest.mark.parametrize(
        ("keys", "limit"),
        [
            ({}, 1024),
            ({"choices": ["ab", "straße"]}, 7 + 16),
            ({"choices": ["ab"], "max_output_tokens": 3}, 3),
        ],
    )
    def test_max_output_tokens_has_a_default_that_fits_the_choices(
        self, keys: dict[str, Any], limit: int
    ) -> None:
        """No tokenizer yields more tokens than bytes, and 16 are left for what surrounds one."""
        node = parse_spec(spec(a=model(**keys))).nodes["a"]

        assert isinstance(node, ModelNode)
        assert node.output_limit == limit

    def test_the_parsed_spec_is_written_and_read_as_the_same(self) -> None:
        """It goes through JSON by the keys of the contract."""
        parsed = parse_spec(AUTO_REPLY)

        assert (
            parse_spec(parsed.model_dump(mode="json", by_alias=True, exclude_unset=True)) == parsed
        )

    @pytest.mark.parametrize("value", [None, 0, "", [], {"a": [1, None]}])
    def test_input_is_any_json(self, value: Any) -> None:
        """Whether templates can use it is another question."""
        assert parse_spec({**spec(a=MODEL), "input": value}).input == value

    def test_features_of_later_releases_are_parsed(self) -> None:
        """And refused by name where a run would start, with their paths."""
        guesses = {
            "model": {"from": "model", "model": "openai:sim-small", "k": 3},
            "stream": {"from": "stream", "field": "label"},
            "history": {"from": "history", "key": "{{ input.from }}", "p": 0.2},
            "pattern": {"from": "pattern"},
        }
        for source, guess in guesses.items():
            error = unsupported_features(parse_spec(spec(a=MODEL, b=model(guess=[guess]))))
            assert str(error) == (
                f"nodes.b.guess[0].from: '{source}' is not supported by this version of forerun yet; "
                "fix: leave it out"
            )
        for keys in ({"for_each": "{{ input }}", "concurrency": 2}, {"equivalence": 2}):
            error = unsupported_features(parse_spec(spec(a=model(**keys))))
            assert error is not None
            assert error.path == f"nodes.a.{next(iter(keys))}"
        assert unsupported_features(parse_spec(AUTO_REPLY)) is None
        assert unsupported_features(parse_spec(spec(a=model(equivalence=0)))) is None

    def test_a_guess_may_be_the_output_of_an_upstream_node(self) -> None:
        """The draft that a verifier is still checking."""
        parse_spec(
            spec(
                draft=MODEL,
                verify=model(
                    prompt="{{ draft }}", guess=[{"from": "node", "node": "draft", "p": "0.7"}]
                ),
            )
        )

    def test_a_schema_may_refer_to_its_own_parts(self) -> None:
        """And a guess is checked through the reference."""
        schema = {"$ref": "#/$defs/label", "$defs": {"label": {"enum": ["x"]}}}

        parse_spec(spec(a=model(schema=schema, guess=[GUESS])))


BAD: list[tuple[Any, str, str]] = [
    # The whole
    (None, "spec", "null is not an object"),
    ([], "spec", "[] is not an object"),
    ("{}", "spec", "'{}' is not an object"),
    ({}, "version", "'version' is missing"),
    ({"version": 1}, "nodes", "'nodes' is missing"),
    ({"version": 2, "nodes": {"a": MODEL}}, "version", "2 is not allowed here; fix: write 1"),
    ({"version": "1", "nodes": {"a": MODEL}}, "version", "'1' is not allowed"),
    (
        {**spec(a=MODEL), "nods": 1},
        "nods",
        "unknown key 'nods' in this spec; fix: did you mean 'nodes'",
    ),
    ({**spec(a=MODEL), "workload": ""}, "workload", "'' is too short"),
    (spec(), "nodes", "{} is too short"),
    ({"version": 1, "nodes": [MODEL]}, "nodes", "is not an object"),
    ({"version": 1, "nodes": {f"n{i}": MODEL for i in range(1001)}}, "nodes", "give at most 1000"),
    ({**spec(a=MODEL), "input": DEEP}, "input" + "[0]" * 50, "nested deeper than 50"),
    ({**spec(a=MODEL), "input": float("nan")}, "input", "nan is not a JSON number"),
    ({**spec(a=MODEL), "input": {1: 2}}, "input", "1 is not a JSON key"),
    ({**spec(a=MODEL), "input": {"x": b"y"}}, "input.x", "a bytes is not JSON"),
    ({**spec(a=MODEL), "input": ["\ud800"]}, "input[0]", "half a surrogate pair"),
    ({**spec(a=MODEL), "input": 10**400}, "input", "more than 256 bits"),
    ({**spec(a=MODEL), "input": "x" * 1_000_001}, "spec", "1,000,000 bytes"),
    ({**spec(a=MODEL), "input": [0] * 100_001}, "spec", "100,000 values"),
    # The policy
    ({**spec(a=MODEL), "policy": 1}, "policy", "1 is not an object"),
    ({**spec(a=MODEL), "policy": {"alfa": 1}}, "policy.alfa", "did you mean 'alpha'"),
    ({**spec(a=MODEL), "policy": {"alpha": 1.5}}, "policy.alpha", "give at most 1"),
    ({**spec(a=MODEL), "policy": {"alpha": -1}}, "policy.alpha", "give at least 0"),
    ({**spec(a=MODEL), "policy": {"alpha": True}}, "policy.alpha", "true is not a number"),
    ({**spec(a=MODEL), "policy": {"budget_usd": "much"}}, "policy.budget_usd", "'much' is not"),
    ({**spec(a=MODEL), "policy": {"budget_usd": "NaN"}}, "policy.budget_usd", "'NaN' is not"),
    ({**spec(a=MODEL), "policy": {"budget_usd": "-1"}}, "policy.budget_usd", "at least 0"),
    ({**spec(a=MODEL), "policy": {"budget_usd": "1e-99"}}, "policy.budget_usd", "digits"),
    ({**spec(a=MODEL), "policy": {"budget_usd": None}}, "policy.budget_usd", "null is not"),
    ({**spec(a=MODEL), "policy": {"max_depth": 1.5}}, "policy.max_depth", "whole number"),
    ({**spec(a=MODEL), "policy": {"p_bound": 1}}, "policy.p_bound", "give less than 1"),
    # Names and kinds
    ({"version": 1, "nodes": {"Draft": MODEL}}, "nodes", "'Draft' is not a name"),
    ({"version": 1, "nodes": {"a b": MODEL}}, "nodes", "'a b' is not a name"),
    ({"version": 1, "nodes": {"a\n": MODEL}}, "nodes", "'a\\n' is not a name"),
    (spec(input=MODEL), "nodes.input", "'input' is reserved"),
    (spec(item=MODEL), "nodes.item", "'item' is reserved"),
    (spec(index=MODEL), "nodes.index", "'index' is reserved"),
    (spec(true=MODEL), "nodes.true", "'true' is reserved"),
    (spec(a=5), "nodes.a", "5 is not an object"),
    (spec(a={}), "nodes.a", "has none of 'model', 'tool', 'effect'"),
    (spec(a={"modle": "openai:x"}), "nodes.a", "(but 'modle'); fix: did you mean 'model'"),
    (spec(a={**MODEL, "tool": "kb.search"}), "nodes.a", "has 'model' and 'tool'"),
    # Fields
    (spec(a={"model": "openai:x"}), "nodes.a.prompt", "the key 'prompt' is missing; fix: add it"),
    (spec(a={"model": "openai:x", "promt": "p"}), "nodes.a.promt", "did you mean 'prompt'"),
    (spec(a=model(model="gpt-5")), "nodes.a.model", "'gpt-5' names no known provider"),
    (spec(a=model(model="azure:x")), "nodes.a.model", "write openai:NAME or anthropic:NAME"),
    (spec(a=model(model="openai:")), "nodes.a.model", "'openai:' names no known"),
    (spec(a=model(model=None)), "nodes.a.model", "null is not text"),
    (spec(a=model(prompt=3)), "nodes.a.prompt", "3 is not text"),
    (spec(a=model(args={})), "nodes.a.args", "unknown key 'args' in this model node"),
    (spec(a={"tool": "t", "prompt": "p"}), "nodes.a.prompt", "in this tool node"),
    (
        spec(a={"tool": "t", "approval_timeout_seconds": 5}),
        "nodes.a.approval_timeout_seconds",
        "tool",
    ),
    (spec(a={"tool": ""}), "nodes.a.tool", "too short"),
    (spec(a={"tool": "t", "args": []}), "nodes.a.args", "[] is not an object"),
    (spec(a={"effect": "e", "guess": []}), "nodes.a.guess", "in this effect node"),
    (
        spec(a={"effect": "e", "approval_timeout_seconds": 0}),
        "nodes.a.approval_timeout_seconds",
        "0",
    ),
    (spec(a=model(temperature=3)), "nodes.a.temperature", "at most 2"),
    (spec(a=model(timeout_seconds=0)), "nodes.a.timeout_seconds", "more than 0"),
    (spec(a=model(timeout_seconds="5")), "nodes.a.timeout_seconds", "'5' is not a number"),
    (spec(a=model(retries=-1)), "nodes.a.retries", "at least 0"),
    (spec(a=model(retries=True)), "nodes.a.retries", "true is not a whole number"),
    (spec(a=model(speculate="no")), "nodes.a.speculate", "neither true nor false"),
    (spec(a=model(equivalence=4)), "nodes.a.equivalence", "at most 3"),
    (spec(a=model(max_output_tokens=0)), "nodes.a.max_output_tokens", "at least 1"),
    (spec(a=model(estimate={"secs": 1})), "nodes.a.estimate.secs", "unknown key 'secs'"),
    (spec(a=model(estimate={"seconds": -1})), "nodes.a.estimate.seconds", "at least 0"),
    (spec(a=model(estimate={"output_tokens": 1.5})), "nodes.a.estimate.output_tokens", "whole"),
    (spec(a=model(concurrency=2)), "nodes.a.concurrency", "2 needs for_each"),
    # Outputs
    (spec(a=model(choices=[])), "nodes.a.choices", "too short"),
    (spec(a=model(choices="ab")), "nodes.a.choices", "'ab' is not a list"),
    (spec(a=model(choices=["x", 1])), "nodes.a.choices[1]", "1 is not text"),
    (spec(a=model(choices=["x", "y "])), "nodes.a.choices[1]", "'y ' is empty or has space"),
    (spec(a=model(choices=["x", ""])), "nodes.a.choices[1]", "'' is empty"),
    (spec(a=model(choices=["é", "e\u0301"])), "nodes.a.choices[1]", "'é' is there twice"),
    (spec(a=model(choices=["x"], schema={})), "nodes.a", "both 'choices' and 'schema'"),
    (spec(a=model(schema="object")), "nodes.a.schema", "'object' is not an object"),
    (spec(a=model(schema={"type": "objekt"})), "nodes.a.schema.type", "'objekt' is not valid"),
    (spec(a=model(schema={"required": "a"})), "nodes.a.schema.required", "'a' is not valid"),
    (spec(a=model(schema={"pattern": "("})), "nodes.a.schema.pattern", "'(' is not valid"),
    (spec(a=model(schema={"pattern": "(" * 5000})), "nodes.a.schema", "pattern"),
    (
        spec(a=model(schema={"$ref": "http://127.0.0.1/x"})),
        "nodes.a.schema['$ref']",
        "leads to nothing",
    ),
    (spec(a=model(schema={"$ref": "#/$defs/x"})), "nodes.a.schema['$ref']", "'#/$defs/x' leads"),
    (
        spec(a=model(schema={"$id": "http://[", "not": {"$id": "http://["}})),
        "nodes.a.schema",
        "$id",
    ),
    (spec(a=model(schema={str(i): {} for i in range(2001)})), "nodes.a.schema", "2,000 objects"),
    # Guesses
    (spec(a=model(guess={})), "nodes.a.guess", "{} is not a list"),
    (spec(a=model(guess=[5])), "nodes.a.guess[0]", "5 is not an object"),
    (spec(a=model(guess=[{"value": "x"}])), "nodes.a.guess[0].from", "'from' is missing"),
    (spec(a=model(guess=[{"from": "vaule"}])), "nodes.a.guess[0].from", "did you mean 'value'"),
    (spec(a=model(guess=[{"from": "value", "p": 0.5}])), "nodes.a.guess[0].value", "is missing"),
    (
        spec(a=model(guess=[{"from": "value", "value": "x"}])),
        "nodes.a.guess[0].p",
        "'p' is missing",
    ),
    (spec(a=model(guess=[{"from": "node", "node": "b"}])), "nodes.a.guess[0].p", "'p' is missing"),
    (spec(a=model(guess=[{**GUESS, "p": 0}])), "nodes.a.guess[0].p", "give more than 0"),
    (spec(a=model(guess=[{**GUESS, "p": 1}])), "nodes.a.guess[0].p", "give less than 1"),
    (spec(a=model(guess=[{**GUESS, "k": 1}])), "nodes.a.guess[0].k", "in this value guess"),
    (spec(a=model(guess=[{"from": "model", "model": "x"}])), "nodes.a.guess[0].model", "'x' names"),
    (
        spec(a=model(guess=[GUESS, {**GUESS, "value": "y", "p": 0.6}])),
        "nodes.a.guess[1].p",
        "sum to 1.1, more than 1",
    ),
    (
        spec(a=model(schema={}, guess=[{**GUESS, "value": 1}, {**GUESS, "value": 1.0, "p": 0.1}])),
        "nodes.a.guess[1]",
        "guess is there twice",
    ),
    (
        spec(route=model(choices=["a", "bill"], guess=[{**GUESS, "value": "bil"}])),
        "nodes.route.guess[0].value",
        "'bil' is not one of the choices 'a, bill'; fix: did you mean 'bill'",
    ),
    (spec(a=model(guess=[{**GUESS, "value": 1}])), "nodes.a.guess[0].value", "1 is not text"),
    (
        spec(
            a=model(
                schema={"properties": {"b": {"type": "string"}}},
                guess=[{**GUESS, "value": {"b": 1}}],
            )
        ),
        "nodes.a.guess[0].value",
        '{"b":1} does not fit the schema (b: type)',
    ),
    (
        spec(a=model(schema={"additionalProperties": False}, guess=[{**GUESS, "value": {"b": 1}}])),
        "nodes.a.guess[0].value",
        "does not fit the schema",
    ),
    (
        spec(a=model(schema={"uniqueItems": True}, guess=[{**GUESS, "value": [1, 1.0]}])),
        "nodes.a.guess[0].value",
        "uniqueItems",
    ),
    (
        spec(
            a=model(
                schema={
                    "patternProperties": {"^x": {"type": "null"}},
                    "additionalProperties": True,
                },
                guess=[{**GUESS, "value": {"x1": 1}}],
            )
        ),
        "nodes.a.guess[0].value",
        "x1: type",
    ),
    (
        spec(a=model(schema={"pattern": "^(a+)+$"}, guess=[{**GUESS, "value": "a" * 50 + "!"}])),
        "nodes.a.guess[0].value",
        "(pattern)",
    ),
    (
        spec(a=model(schema={"$ref": "#"}, guess=[GUESS])),
        "nodes.a.guess[0].value",
        "takes too long to check",
    ),
    (
        spec(
            a=model(
                schema={
                    "$ref": "#/$defs/d0",
                    "$defs": {
                        **{
                            f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2}
                            for i in range(40)
                        },
                        "d40": {},
                    },
                },
                guess=[GUESS],
            )
        ),
        "nodes.a.guess[0].value",
        "takes too long to check",
    ),
    (
        spec(a=model(guess=[{"from": "node", "node": "bb", "p": 0.5}]), b=MODEL),
        "nodes.a.guess[0].node",
        "unknown node 'bb'",
    ),
    (
        spec(a=model(guess=[{"from": "node", "node": "a", "p": 0.5}])),
        "nodes.a.guess[0].node",
        "'a' only has an output once 'a' has one",
    ),
    (
        spec(
            a=model(guess=[{"from": "node", "node": "c", "p": 0.5}]),
            b=model(prompt="{{ a }}"),
            c=model(prompt="{{ b }}"),
        ),
        "nodes.a.guess[0].node",
        "'c' only has an output once 'a' has one",
    ),
    (
        spec(a=model(guess=[{"from": "node", "node": "b", "p": 0.5}]), b={"effect": "e"}),
        "nodes.a.guess[0].node",
        "'b' is an effect",
    ),
    (
        spec(a={"tool": "t", "guess": [{"from": "model", "model": "openai:x"}]}),
        "nodes.a.guess[0].from",
        "'model' only predicts model nodes",
    ),
    # Templates and the graph
    (
        spec(classify=MODEL, draft=model(prompt="{{ klassify }}")),
        "nodes.draft.prompt",
        "unknown name 'klassify'; fix: did you mean 'classify'",
    ),
    (spec(a=model(system="{{ zzz }}")), "nodes.a.system", "unknown name 'zzz'"),
    (spec(a=model(when="{{ zzz }}")), "nodes.a.when", "unknown name 'zzz'"),
    (spec(a={"tool": "t", "args": {"x": [1, {"y": "{{ zzz }}"}]}}), "nodes.a.args.x[1].y", "'zzz'"),
    (spec(a={"tool": "t", "args": {"x y": "{{ }}"}}), "nodes.a.args['x y']", "is no template"),
    (
        spec(a=model(prompt="{{ item }}")),
        "nodes.a.prompt",
        "unknown name 'item'; fix: add for_each",
    ),
    (spec(a=model(for_each="{{ item }}")), "nodes.a.for_each", "unknown name 'item'"),
    (spec(a=model(for_each="x")), "nodes.a.for_each", "'x' is not one {{ expression }}"),
    (spec(a=model(when="a == 'x'")), "nodes.a.when", "is not one {{ expression }}"),
    (spec(a=model(prompt="{{ range(3) }}")), "nodes.a.prompt", "a call is not allowed"),
    (spec(a=MODEL, b=model(prompt="{% set a = 1 %}{{ a }}")), "nodes.b.prompt", "'a' is set here"),
    (spec(a=model(prompt="{% for input in [] %}{% endfor %}")), "nodes.a.prompt", "'input' is set"),
    (spec(a=model(prompt="{{ a }}")), "nodes", "the cycle a -> a"),
    (
        spec(
            a=model(prompt="{{ c }}"),
            b=model(when="{{ a }}"),
            c={"tool": "t", "args": {"x": "{{ b }}"}},
            d=model(prompt="{{ c }}"),
        ),
        "nodes",
        "the cycle b -> c -> a -> b",
    ),
]


class TestWrongSpecs:
    @pytest.mark.parametrize(("raw", "path", "words"), BAD)
    def test_what_is_wrong_is_one_line_with_path_and_fix(
        self, raw: Any, path: str, words: str
    ) -> None:
        """Exactly the offending place, the offending key or value, and what to do."""
        error = refusal(raw)

        assert error.path == path
        assert words in str(error)
        assert str(error).startswith(f"{path}: ")
        assert str(error).endswith(f"; fix: {error.fix}")
        assert error.fix
        assert error.value in str(error)
        assert "\n" not in str(error)
        assert not any(
            word in str(error) for word in ("pydantic", "https://errors", "Input should")
        )

    def test_of_a_long_value_the_first_80_characters_are_shown(self) -> None:
        """Enough to find it, not enough to flood the history."""
        error = refusal(spec(a=model(model="x" * 5000)))

        assert "x" * 78 in str(error)
        assert len(str(error)) < 250

    def test_a_cycle_is_shown_with_all_its_nodes(self) -> None:
        """However long it is, and nothing else is in it."""
        ring = {f"n{i}": model(prompt=f"{{{{ n{(i + 1) % 300} }}}}") for i in range(300)}

        error = refusal({"version": 1, "nodes": {"apart": MODEL, **ring}})

        names = error.problem.removeprefix("the cycle ").split(" -> ")
        assert names[0] == names[-1]
        assert sorted(names[:-1]) == sorted(ring)

    def test_templates_are_bounded_all_together(self) -> None:
        """Parsing them has to fit into one workflow task."""
        args = {f"k{i}": "{{ input }}" for i in range(10_000)}

        assert "more than 50,000 parts" in str(refusal(spec(a={"tool": "t", "args": args})))

    def test_the_guess_is_not_checked_against_a_pattern_that_cannot_be_linear(self) -> None:
        """Look-around would need a backtracking matcher: the node's answer will tell."""
        parse_spec(spec(a=model(schema={"pattern": "(?=y)"}, guess=[GUESS])))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        found += places(value[key], (*path, key))
    return found


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_is_parsed_or_refused(raw: Any) -> None:
    """By a `SpecError`, and by nothing else."""
    with suppress(SpecError):
        parse_spec(raw)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(places(AUTO_REPLY)),
    JSON | st.sampled_from(["{{ draft }}", "x" * 90]),
    st.booleans(),
)
def test_a_spec_with_anything_anywhere_is_parsed_or_refused(
    place: tuple[Any, ...], value: Any, as_key: bool
) -> None:
    """The refusal is one line whose path leads to a place that exists, or is missing."""
    raw = copy.deepcopy(AUTO_REPLY)
    owner: Any = raw
    for key in place[:-1]:
        owner = owner[key]
    if as_key and isinstance(owner, dict):
        owner[str(value)] = owner.pop(place[-1])
    else:
        owner[place[-1]] = value
    try:
        parsed = parse_spec(raw)
    except SpecError as error:
        refused = str(error)
    else:
        refused = "; fix: "
        assert json.dumps(parsed.model_dump(mode="json", by_alias=True))

    assert "\n" not in refused
    assert "; fix: " in refused


class TestSchema:
    def test_it_is_a_json_schema_that_right_specs_fit(self) -> None:
        """An editor accepts what a run accepts."""
        schema = spec_schema()

        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(AUTO_REPLY)

    @pytest.mark.parametrize(
        "raw", [{}, spec(), spec(a={"model": "openai:x", "promt": "p"}), spec(A=MODEL)]
    )
    def test_it_refuses_specs_of_another_shape(self, raw: Any) -> None:
        """Unknown keys included."""
        assert not Draft202012Validator(spec_schema()).is_valid(raw)

    def test_every_key_is_spelled_as_in_the_contract(self) -> None:
        """`from` and `schema`, not what they are called inside."""
        text = json.dumps(spec_schema())

        assert '"from"' in text
        assert '"schema"' in text
        assert "output_schema" not in text
