"""A worker's operations: collected from what it is given, and nothing else."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field
from temporalio.exceptions import ApplicationError

from forerun.activities import builtin_tools
from forerun.activities.registration import Arguments, Commit, RegistrationError, operation
from forerun.activities.registry import (
    INVALID_ARGUMENTS,
    INVALID_OUTPUT,
    OPERATION_MISSING,
    WRONG_KIND,
    Registry,
)
from forerun.speculation.effect_class import EffectClass


class Ticket(Arguments):
    number: int
    note: str = ""


class Note(BaseModel):
    number: int
    at: datetime = datetime(2026, 11, 21, tzinfo=UTC)
    text: str | None = Field(default=None, alias="words")


@operation("tickets.get", version="2", effect=EffectClass.READ)
async def get_ticket(arguments: Ticket) -> Any:
    return arguments.number


@operation("tickets.get", version="3", effect=EffectClass.READ)
async def get_ticket_again(arguments: Ticket) -> Any:
    return arguments.number


class Desk:
    """Operations that need configuration."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    @property
    def broken(self) -> str:
        raise AssertionError("collecting operations must not run properties")

    @operation("tickets.name", version="1", effect=EffectClass.PURE)
    async def name(self, arguments: Ticket) -> str:
        return f"{self._prefix}-{arguments.number}"

    @operation("tickets.note", version="1", effect=EffectClass.READ)
    async def note(self, arguments: Ticket) -> Note:
        return Note(number=arguments.number)

    @operation("tickets.close", version="1", effect=EffectClass.IRREVERSIBLE)
    async def close(self, arguments: Ticket, commit: Commit) -> dict[str, Any]:
        return {"closed": arguments.number, "key": commit.idempotency_key}


async def test_collects_functions_methods_and_modules() -> None:
    """Functions, an object's methods bound to it, modules and module names are all sources."""
    registry = Registry.of(get_ticket, Desk("T"), builtin_tools)
    assert list(registry.cards) == [
        "echo",
        "kb.search",
        "tickets.close",
        "tickets.get",
        "tickets.name",
        "tickets.note",
    ]
    tool = registry.tool("tickets.name", "1")
    assert await tool.run(tool.parse({"number": 7})) == "T-7"
    named = Registry.of("forerun.activities.builtin_tools")
    assert list(named.cards) == ["echo", "kb.search"]


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_one_operation_met_twice_is_one() -> None:
    """A module that imports another's operation does not declare it a second time."""
    registry = Registry.of(builtin_tools, builtin_tools.echo)
    assert list(registry.cards) == ["echo", "kb.search"]


def test_duplicates_name_both() -> None:
    """Two declarations of one name are one error that names both functions."""
    with pytest.raises(RegistrationError) as raised:
        Registry.of(get_ticket, get_ticket_again)
    message = str(raised.value)
    assert "'tickets.get'" in message
    assert "get_ticket and by" in message
    assert "get_ticket_again: rename one" in message


@pytest.mark.parametrize("source", [len, object(), [get_ticket], "json", Desk])
def test_sources_without_operations(source: object) -> None:
    """Something that declares nothing is most likely a mistake, so it is an error."""
    with pytest.raises(RegistrationError, match="declare one with @operation"):
        Registry.of(source)


def test_module_that_cannot_be_imported() -> None:
    """A misspelt module name is told as such."""
    with pytest.raises(RegistrationError, match="operations module 'my_pakcage"):
        Registry.of("my_pakcage.operations")


def test_users_module_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own module, named to the worker, adds its operations."""
    (tmp_path / "acme_operations.py").write_text(
        "from forerun.activities.registration import Arguments, operation\n"
        "from forerun.speculation.effect_class import EffectClass\n"
        "class Sum(Arguments):\n"
        "    numbers: list[int]\n"
        "@operation('acme.sum', version='1', effect=EffectClass.PURE)\n"
        "async def add(arguments: Sum) -> int:\n"
        "    return sum(arguments.numbers)\n"
    )
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    assert list(Registry.of("acme_operations").cards) == ["acme.sum"]


def test_missing_operation_may_be_elsewhere() -> None:
    """An unknown operation or version fails the attempt only, and says what this worker has."""
    registry = Registry.of(get_ticket)
    with pytest.raises(ApplicationError, match=r"worker \d+@.* has no operation 'x.y'") as unknown:
        registry.tool("x.y", "1")
    with pytest.raises(ApplicationError, match="at version '2', not '9'") as outdated:
        registry.tool("tickets.get", "9")
    for raised in (unknown, outdated):
        assert raised.value.type == OPERATION_MISSING
        assert not raised.value.non_retryable


def test_tools_and_effects_do_not_mix() -> None:
    """An effect can never be run as a tool, nor a tool be committed."""
    registry = Registry.of(Desk("T"))
    for wrong in (
        lambda: registry.tool("tickets.close", "1"),
        lambda: registry.effect("tickets.name", "1"),
    ):
        with pytest.raises(ApplicationError) as raised:
            wrong()
        assert raised.value.type == WRONG_KIND
        assert raised.value.non_retryable


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "argument 'number': Field required"),
        ({"number": "x"}, "argument 'number': "),
        ({"number": 1, "nummer": 2}, "argument 'nummer': Extra inputs are not permitted, got 2"),
        ({"number": [], "note": 3}, "(and 1 more)"),
        ({"number": float("nan")}, "nan is not a JSON number"),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], words: str) -> None:
    """Invalid arguments are one line that names operation and argument, and never retried."""
    operation_found = Registry.of(get_ticket).tool("tickets.get", "2")
    with pytest.raises(ApplicationError) as raised:
        operation_found.parse(arguments)
    assert raised.value.type == INVALID_ARGUMENTS
    assert raised.value.non_retryable
    assert words in raised.value.message
    assert raised.value.message.startswith("tickets.get: ")
    assert "\n" not in raised.value.message


def test_results_are_of_the_declared_type() -> None:
    """A model comes out as its JSON; plain data is taken if it is the JSON of the declared type."""
    desk = Registry.of(Desk("T"))
    note, name = desk.tool("tickets.note", "1"), desk.tool("tickets.name", "1")
    plain = {"number": 7, "at": "2026-11-21T00:00:00Z", "words": None}
    assert note.output(Note(number=7)) == plain
    assert note.output(plain) == plain
    assert name.output("e\u0301") == "\u00e9"


@pytest.mark.parametrize(
    ("name", "returned", "words"),
    [
        ("tickets.name", 7, "tickets.name returned 'value': Input should be a valid string"),
        ("tickets.name", None, "valid string"),
        ("tickets.note", {"number": "secret"}, "'number': Input should be a valid integer"),
        ("tickets.note", {"at": "now", "number": 7.5}, "(and 1 more)"),
        ("tickets.note", {"number": object()}, "a value of type object is not JSON"),
        ("tickets.close", ["secret"], "tickets.close has committed, but returned 'value'"),
        ("tickets.get", ["\ud800"], "returned what is not JSON"),
        ("tickets.get", _deep(101), "more than 100 levels"),
        ("tickets.get", _deep(5_000), "returned what is not JSON"),
    ],
)
def test_results_of_another_type(name: str, returned: Any, words: str) -> None:
    """They fail the call for good, in one line that does not repeat them."""
    found = Registry.of(Desk("T"), get_ticket)
    operation_found = found.effect(name, "1") if name.endswith("close") else None
    version = "2" if name.endswith("get") else "1"
    with pytest.raises(ApplicationError) as raised:
        (operation_found or found.tool(name, version)).output(returned)
    assert (raised.value.type, raised.value.non_retryable) == (INVALID_OUTPUT, True)
    assert words in raised.value.message
    assert "secret" not in raised.value.message
    assert "\n" not in raised.value.message


def test_arguments_are_canonical() -> None:
    """An operation sees the values that were fingerprinted: composed accents, whole numbers."""
    found = Registry.of(get_ticket).tool("tickets.get", "2")
    parsed = found.parse({"number": 2.0, "note": "e\u0301"})
    assert parsed == Ticket(number=2, note="\u00e9")
