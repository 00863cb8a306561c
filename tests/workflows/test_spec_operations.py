"""A spec against the operations that are registered."""

from __future__ import annotations

from typing import Any

import pytest

from forerun.activities.operation import OperationCard
from forerun.speculation.effect_class import EffectClass
from forerun.workflows.spec import SpecError, check_operations, parse_spec
from tests.workflows.specs import model, spec


def card(name: str, effect: EffectClass, **properties: Any) -> OperationCard:
    """With one argument `to` that is required, and whatever else."""
    return OperationCard(
        name=name,
        version="1",
        effect=effect,
        arguments={
            "type": "object",
            "properties": {"to": {"type": "string"}, **properties},
            "required": ["to"],
            "additionalProperties": False,
            "$defs": {"small": {"maximum": 9}},
        },
    )


CARDS = {
    "kb.search": card("kb.search", EffectClass.READ, limit={"$ref": "#/$defs/small"}),
    "warm": card("warm", EffectClass.IDEMPOTENT),
    "drafts.put": card("drafts.put", EffectClass.STAGEABLE),
    "outbox.put": card("outbox.put", EffectClass.IRREVERSIBLE),
}


def test_a_spec_that_fits_is_let_through() -> None:
    """Model nodes need no operation; templates are checked when they are rendered."""
    nodes = spec(
        a=model(),
        b={"tool": "kb.search", "args": {"to": "{{ a }}", "limit": 9}},
        c={"tool": "warm", "args": {"to": "x"}},
        d={"effect": "drafts.put", "args": {"to": "{{ b }}"}},
        e={"effect": "outbox.put", "args": {"to": "{{ a }}"}},
    )

    check_operations(parse_spec(nodes), CARDS)


@pytest.mark.parametrize(
    ("node", "path", "words"),
    [
        (
            {"tool": "kb.serach"},
            "tool",
            "unknown operation 'kb.serach'; fix: did you mean 'kb.search'",
        ),
        ({"effect": "zzz"}, "effect", "use one of drafts.put, kb.search, outbox.put, warm"),
        ({"tool": "outbox.put"}, "tool", "is irreversible: only an effect node may name it"),
        ({"tool": "drafts.put"}, "tool", 'write "effect": "drafts.put"'),
        ({"effect": "kb.search"}, "effect", "is read: only a tool node may name it"),
        ({"effect": "warm"}, "effect", 'write "tool": "warm"'),
        ({"tool": "warm"}, "args.to", "the argument 'to' of warm is missing; fix: add it"),
        (
            {"tool": "warm", "args": {"to": "x", "too": 1}},
            "args.too",
            "unknown argument 'too' of warm; fix: did you mean 'to'",
        ),
        ({"tool": "warm", "args": {"to": 5}}, "args.to", "5 does not fit the schema (type)"),
        (
            {"tool": "kb.search", "args": {"to": "x", "limit": 10}},
            "args.limit",
            "10 does not fit the schema (maximum)",
        ),
    ],
)
def test_what_does_not_fit_is_one_line_with_path_and_fix(
    node: dict[str, Any], path: str, words: str
) -> None:
    """Name, kind and arguments."""
    with pytest.raises(SpecError) as caught:
        check_operations(parse_spec(spec(a=node)), CARDS)

    assert caught.value.path == f"nodes.a.{path}"
    assert words in str(caught.value)


def test_suggestions_come_from_all_operations_there_are() -> None:
    """A run only records the cards of those that its spec names."""
    with pytest.raises(SpecError, match=r"did you mean 'kb.search'\?"):
        check_operations(parse_spec(spec(a={"tool": "kb.serch"})), {}, ["kb.search", "echo"])


@pytest.mark.parametrize(
    "weaker",
    ["approval", "approvals", "class", "effect_class", "exact", "disclosure", "max_age_seconds"],
)
def test_no_key_of_a_spec_weakens_an_operation(weaker: str) -> None:
    """What an operation does and asks for is declared in code, and a spec has no word for it."""
    with pytest.raises(SpecError, match=f"unknown key '{weaker}' in this effect node"):
        parse_spec(spec(send={"effect": "outbox.put", "args": {}, weaker: "auto"}))
