"""Declaring operations: mistakes are told at import time, in one line that names the fix."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, JsonValue

from forerun.activities.registration import (
    Arguments,
    Commit,
    RegistrationError,
    declaration_of,
    operation,
)
from forerun.speculation.disclosure import ALLOW, BLOCK, DEFER, Disclosure, Mode, redact
from forerun.speculation.effect_class import Approval, EffectClass
from tests.activities.tickets import Ticket, tool


class Loose(BaseModel):
    number: int


class Person(Arguments):
    name: str
    email: str | None = None


class Order(Arguments):
    query: str
    customer: Person | None = None
    lines: list[Person]
    rest: JsonValue = None
    by_name: dict[str, Person]


async def effect(arguments: Ticket, commit: Commit) -> dict[str, Any]:
    raise NotImplementedError


def not_async(arguments: Ticket) -> Any: ...


async def untyped(arguments) -> Any: ...  # pyright: ignore[reportMissingParameterType, reportUnknownParameterType]


async def loose(arguments: Loose) -> Any: ...


async def plain_dict(arguments: dict[str, Any]) -> Any: ...


async def two(arguments: Ticket, other: Ticket) -> Any: ...


async def nothing() -> Any: ...


async def order(arguments: Order) -> Any: ...


async def unsaid(arguments: Ticket): ...


async def lock(arguments: Ticket) -> threading.Thread:
    raise NotImplementedError


async def callback(arguments: Ticket) -> Callable[[], None]:
    raise NotImplementedError


async def text_effect(arguments: Ticket, commit: Commit) -> str:
    raise NotImplementedError


def declare(function: Callable[..., Any], **changes: Any) -> None:
    fields: dict[str, Any] = {"name": "tickets.get", "version": "1", "effect": EffectClass.READ}
    fields |= changes
    operation(fields.pop("name"), **fields)(function)


def test_declares_without_wrapping() -> None:
    """The decorator returns the function itself, with its card attached."""

    async def get_ticket(arguments: Ticket) -> Any: ...

    declared = operation(
        "tickets.get",
        version="2",
        effect=EffectClass.READ,
        usd="0.002",
        seconds=0.4,
        max_age_seconds=5,
        timeout_seconds=7,
    )(get_ticket)
    found = declaration_of(declared)
    assert declared is get_ticket
    assert found is not None
    assert (found.card.name, found.card.version, found.card.effect) == ("tickets.get", "2", "read")
    assert found.card.usd == Decimal("0.002")
    assert (found.card.seconds, found.card.max_age_seconds) == (0.4, 5)
    assert found.card.timeout_seconds == 7
    assert found.card.arguments["required"] == ["number"]
    assert found.card.arguments["additionalProperties"] is False


def test_effects_ask_unless_declared_otherwise() -> None:
    """An effect needs an approval by default; only its own declaration can waive it."""
    for approval in (None, Approval.AUTO, Approval.EXACT):

        async def close(arguments: Ticket, commit: Commit) -> dict[str, Any]:
            raise NotImplementedError

        given: dict[str, Any] = {} if approval is None else {"approval": approval}
        declare(close, effect=EffectClass.IRREVERSIBLE, **given)
        found = declaration_of(close)
        assert found is not None
        assert found.card.approval is (approval or Approval.REQUIRED)


FINAL = {"effect": EffectClass.IRREVERSIBLE}

MISTAKES: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (not_async, {}, "async def"),
    (untyped, {}, "'arguments' must be annotated with a subclass of Arguments"),
    (plain_dict, {}, "subclass of Arguments"),
    (loose, {}, "Loose takes unknown keys: derive it from Arguments"),
    (nothing, {}, "takes ()"),
    (effect, {}, "takes (arguments, commit), but a read operation takes (arguments)"),
    (tool, {"effect": EffectClass.IRREVERSIBLE}, "takes (arguments, commit: Commit)"),
    (two, {"effect": EffectClass.STAGEABLE}, "'other' must be annotated with Commit"),
    (tool, {"name": "Tickets.Get"}, "lower-case words joined by dots, like kb.search"),
    (tool, {"name": "tickets."}, "like kb.search"),
    (tool, {"version": " "}, "version"),
    (tool, {"usd": "-1"}, "usd must be at least 0"),
    (tool, {"usd": "nan"}, "not a finite number"),
    (tool, {"usd": "cheap"}, "'cheap' is not a decimal number"),
    (tool, {"seconds": 0}, "seconds must be a positive number"),
    (tool, {"timeout_seconds": float("inf")}, "timeout_seconds must be a positive number"),
    (tool, {"approval": Approval.AUTO}, "passes no gate"),
    (tool, {"approvals": 2}, "nobody is asked to approve it: leave approvals out"),
    (effect, {**FINAL, "approvals": 0}, "approvals must be at least 1"),
    (effect, {**FINAL, "approvals": 2, "approval": Approval.AUTO}, "leave approvals out"),
    (effect, {**FINAL, "disclosure": BLOCK}, "never runs on a guess: leave disclosure out"),
    (unsaid, {}, "says nothing of its result: annotate it, with Any for any JSON"),
    (lock, {}, "that is no JSON"),
    (callback, {}, "cannot return what is no JSON"),
    (text_effect, FINAL, "returns a JSON object"),
    (tool, {"disclosure": redact()}, 'write redact("customer.email")'),
    (tool, {"disclosure": Disclosure(mode=Mode.BLOCK, paths=("number",))}, "write redact("),
    (tool, {"disclosure": redact("numbr")}, "cannot redact 'numbr': there is no such argument"),
    (tool, {"disclosure": redact("number", "")}, "cannot redact ''"),
    (tool, {"disclosure": redact("number.digits")}, "no such argument"),
    (order, {"disclosure": redact("customer.mail")}, "no such argument"),
    (order, {"disclosure": redact("lines.email")}, "no such argument"),
    (order, {"disclosure": redact("lines[0].email")}, "write names joined by dots"),
    (order, {"disclosure": redact("by_name.ann.mail")}, "no such argument"),
]


@pytest.mark.parametrize(("function", "changes", "words"), MISTAKES)
def test_mistakes(function: Callable[..., Any], changes: dict[str, Any], words: str) -> None:
    """Each mistake is one error that names the operation, the function and the rule."""
    with pytest.raises(RegistrationError) as raised:
        declare(function, **changes)
    message = str(raised.value)
    assert words in message
    assert function.__qualname__ in message
    assert repr(changes.get("name", "tickets.get")) in message
    assert declaration_of(function) is None


def test_unresolvable_annotation() -> None:
    """An annotation that cannot be looked up is a clear error, not a NameError."""

    class Hidden(Arguments):
        number: int

    async def get(arguments: Hidden) -> Any: ...

    with pytest.raises(RegistrationError, match="annotations must be names of its module"):
        declare(get)


@pytest.mark.parametrize(
    "policy",
    [
        ALLOW,
        DEFER,
        BLOCK,
        redact("query", "customer"),
        redact("customer.email", "lines"),
        redact("rest.anything.at_all", "by_name.ann.email"),
    ],
)
def test_disclosure(policy: Disclosure) -> None:
    """A policy whose paths may lead somewhere is on the card as it was declared."""

    async def find(arguments: Order) -> Any: ...

    declare(find, disclosure=policy)
    found = declaration_of(find)
    assert found is not None
    assert found.card.disclosure == policy


def test_several_people() -> None:
    """How many people must approve is declared with the effect; one by default."""

    async def close(arguments: Ticket, commit: Commit) -> dict[str, Any]:
        raise NotImplementedError

    for approvals in (1, 2):
        declare(close, effect=EffectClass.IRREVERSIBLE, approvals=approvals)
        found = declaration_of(close)
        assert found is not None
        assert found.card.approvals == approvals
