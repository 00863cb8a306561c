"""Every way to get a spec wrong: what was written, where it is wrong, and words of the refusal."""

from __future__ import annotations

from functools import reduce
from typing import Any

from tests.workflows.specs import GUESS, MODEL, model, spec

STREAM = {"from": "stream", "field": "topik"}
DEEP: Any = reduce(lambda inner, _: [inner], range(100_000), list[Any]())

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
    (spec(a=model(equivalence=2, choices=["x"])), "nodes.a.equivalence", "one of its choices; fix"),
    (spec(a=model(equivalence=3, schema={})), "nodes.a.equivalence", "answers JSON of its schema"),
    (spec(a=model(equivalence=2, for_each="{{ [1] }}")), "nodes.a.equivalence", "answers a list"),
    (spec(a={"tool": "t", "equivalence": 2}), "nodes.a.equivalence", "with what the tool returns"),
    (spec(a={"effect": "e", "equivalence": 3}), "nodes.a.equivalence", "is only for a model that"),
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
    (spec(a=model(schema={str(i): {} for i in range(5001)})), "nodes.a.schema", "5,000 parts"),
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
    (
        spec(a=model(guess=[{"from": "stream"}])),
        "nodes.a.guess[0].from",
        "'stream' needs choices or the schema of an object",
    ),
    (
        spec(a=model(schema={"type": ["array", "null"]}, guess=[{"from": "stream"}])),
        "nodes.a.guess[0].from",
        "'stream' needs choices or the schema of an object",
    ),
    (
        spec(a={"tool": "t", "guess": [{"from": "stream"}]}),
        "nodes.a.guess[0].from",
        "'stream' only predicts model nodes",
    ),
    (
        spec(a=model(choices=["x"], guess=[{"from": "stream", "field": "x"}])),
        "nodes.a.guess[0].field",
        "'x' is a field, and a choice has none",
    ),
    (
        spec(a=model(schema={"properties": {"topic": {}}}, guess=[STREAM])),
        "nodes.a.guess[0].field",
        "'topik' is none of the properties of the schema; fix: did you mean 'topic'",
    ),
    (
        spec(a=model(schema={}, guess=[STREAM, {"from": "stream"}])),
        "nodes.a.guess[1].from",
        "'stream' is there twice",
    ),
    # Templates and the graph
    (spec(a=model(prompt="x" * 262_145)), "nodes.a.prompt", "is longer than 262,144 bytes"),
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
