"""Made-up answers keep the form that is asked for."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from forerun.activities.replies import parse_reply, system_text
from forerun.workers.standin.asks import Ask
from forerun.workers.standin.obedience import obedient
from forerun.workers.standin.plans import make_plan
from forerun.workers.standin.rules import Rule

PERSON: dict[str, Any] = {
    "type": "object",
    "required": ["name", "kind", "friends"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "kind": {"enum": ["cat", "dog"]},
        "age": {"anyOf": [{"type": "integer", "minimum": 3, "maximum": 5}, {"type": "null"}]},
        "friends": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/friend"}},
    },
    "$defs": {"friend": {"properties": {"score": {"type": "number"}, "old": {"const": True}}}},
}


def ask(prompt: str, system: str | None) -> Ask:
    return Ask(
        model="sim-mid",
        user=prompt,
        input_tokens=10,
        max_output_tokens=None,
        stream=True,
        system=system or "",
    )


def test_one_of_the_choices_is_taken() -> None:
    """By the prompt alone, and different prompts do not all get the same."""
    choices = ["billing", "two words", "sales"]
    system = system_text("You sort post.", choices, None)

    answers = [obedient(ask(f"mail {i}", system)) for i in range(20)]

    assert set(answers) == set(choices)
    assert answers == [obedient(ask(f"mail {i}", system)) for i in range(20)]


@pytest.mark.parametrize("number", range(10))
def test_json_fits_the_schema(number: int) -> None:
    """And is read as an answer."""
    reply = obedient(ask(f"mail {number}", system_text(None, None, PERSON)))

    assert reply is not None
    jsonschema.validate(json.loads(reply), PERSON)
    assert parse_reply(reply, None, PERSON) == json.loads(reply)


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    """Whatever comes of it."""
    endless = {"properties": {"next": {"$ref": "#"}}}

    assert obedient(ask("x", system_text(None, None, endless)))


def test_a_rule_says_what_it_says() -> None:
    """Also what breaks the form; and without a form a text is made up."""
    asked = ask("x", system_text(None, ["a", "b"], None))

    broken = make_plan(asked, Rule(match="x", reply="neither"), None)

    assert broken.reply.text == "neither"
    assert make_plan(asked, Rule(match="x", ttft_ms=5), None).reply.text in ("a", "b")
    assert obedient(ask("x", "You sort post.")) is None
