"""Every way to get a guess wrong: what was written, where it is wrong, and words of the refusal."""

from __future__ import annotations

from typing import Any

from tests.workflows.specs import GUESS, MODEL, model, spec

STREAM = {"from": "stream", "field": "topik"}

BAD_GUESSES: list[tuple[Any, str, str]] = [
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
]
