"""Specs: what is right is parsed whole, what is wrong is one line with its path and its fix."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

import pytest
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
from tests.workflows.bad_specs import BAD
from tests.workflows.specs import AUTO_REPLY, GUESS, MODEL, model, spec


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
            "history": {"from": "history", "key": "{{ input.from }}", "p": 0.2},
            "pattern": {"from": "pattern"},
        }
        for source, guess in guesses.items():
            error = unsupported_features(
                parse_spec(spec(a=MODEL, b=model(schema={}, guess=[guess])))
            )
            assert str(error) == (
                f"nodes.b.guess[0].from: '{source}' is not supported by this version of forerun yet; "
                "fix: leave it out"
            )
        assert unsupported_features(parse_spec(AUTO_REPLY)) is None

    @pytest.mark.parametrize(
        "output",
        [
            {"choices": ["x", "y"], "guess": [{"from": "stream"}]},
            {"schema": {}, "guess": [{"from": "stream", "field": "any"}]},
            {
                "schema": {"type": ["object", "null"], "properties": {"e\u0301": {}}},
                "guess": [
                    {"from": "stream", "field": "\u00e9", "p": 0.9},
                    {**GUESS, "value": None},
                ],
            },
        ],
    )
    def test_a_node_that_streams_something_certain_may_be_followed(
        self, output: dict[str, Any]
    ) -> None:
        """Its p is stated for the moment when it is certain, and so never too much beside others."""
        parse_spec(spec(a=model(**output)))

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


def fits_schema(raw: Any) -> bool:
    return cast("Any", Draft202012Validator)(spec_schema()).is_valid(raw)


class TestSchema:
    def test_it_is_a_json_schema_that_right_specs_fit(self) -> None:
        """An editor accepts what a run accepts."""
        schema = spec_schema()

        Draft202012Validator.check_schema(schema)
        assert fits_schema(AUTO_REPLY)

    @pytest.mark.parametrize(
        "raw", [{}, spec(), spec(a={"model": "openai:x", "promt": "p"}), spec(A=MODEL)]
    )
    def test_it_refuses_specs_of_another_shape(self, raw: Any) -> None:
        """Unknown keys included."""
        assert not fits_schema(raw)

    def test_every_key_is_spelled_as_in_the_contract(self) -> None:
        """`from` and `schema`, not what they are called inside."""
        text = json.dumps(spec_schema())

        assert '"from"' in text
        assert '"schema"' in text
        assert "output_schema" not in text
