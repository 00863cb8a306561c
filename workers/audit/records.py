"""Records as they stand in history, decoded strictly: each is its dataclass, and nothing else.

A record of an unknown kind, with an unknown field, or with a number spelled in another way is not
read around: a figure that no check knows is a figure that nobody has checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from forerun.activities.decision_request import Learned, Opening
from forerun.speculation.decision import Decision
from forerun.speculation.record import Bought, GuessCompared, GuessTested, Outcome, plain
from forerun.workers.audit.differences import ABSENT, differences
from forerun.workers.audit.violation import Violation, shown, violation

Record = Opening | Learned | Decision | Outcome | GuessTested

RECORDS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "opening": Opening,
        "operations": Learned,
        "decision": Decision,
        "outcome": Outcome,
        "guess": GuessTested,
        "purchase": Bought,
        "compared": GuessCompared,
    }
)
"""Every kind of record that this version writes, and its shape."""

SEAL = ("previous", "sha256")
"""What chains a record to the one before it; the rest is its content."""

MOST_DIGITS = 60
"""No honest figure is longer; one of 1e999999999 would take the auditor's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record and the event of its marker. `record` is None where `raw` does not decode."""

    event_id: int
    raw: Any
    record: Record | None

    @property
    def node(self) -> str:
        """The nodes that it is about."""
        return about(self.record) if self.record else node_in(self.raw)


class Undecodable(ValueError):
    """What a value from history was meant to be, and why it is not."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


def decode(event_id: int, raw: Any) -> tuple[Entry, list[Violation]]:
    """The record that `raw` stands for, and what is wrong with it otherwise."""
    try:
        record = _record(raw)
    except Undecodable as error:
        problem = violation(event_id, node_in(raw), "record", error.expected, error.found)
        return Entry(event_id=event_id, raw=raw, record=None), [problem]
    return Entry(event_id=event_id, raw=raw, record=record), []


def about(record: Record) -> str:
    """The nodes that a record is about; none for one about the run."""
    match record:
        case Decision(calls=calls, refused=refused):
            nodes = [exposure.stake.node for exposure in calls]
            return ", ".join(nodes or [refusal.node for refusal in refused])
        case Outcome(node=node) | GuessTested(node=node):
            return node
        case _:
            return ""


def node_in(raw: Any) -> str:
    """The node that something which may be no record names."""
    named = cast("dict[str, Any]", raw).get("node") if isinstance(raw, dict) else None
    return named if isinstance(named, str) else ""


def parsed(adapter: TypeAdapter[Any], raw: Any) -> Any:
    """`raw` as a value of the adapter's type.

    Raises:
        Undecodable: it is none, or holds a number of absurd size.
    """
    try:
        value = adapter.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise Undecodable(f"{where}: {first['msg']}", shown(first["input"])) from None
    if any(_absurd(number) for number in _numbers(value)):
        raise Undecodable(f"numbers of at most {MOST_DIGITS} digits", "a longer one")
    return value


def _record(raw: Any) -> Record:
    if not isinstance(raw, dict):
        raise Undecodable("a record", shown(raw))
    content = {key: value for key, value in cast("dict[str, Any]", raw).items() if key not in SEAL}
    kind = content.get("kind")
    adapter = _ADAPTERS.get(kind) if isinstance(kind, str) else None
    if adapter is None:
        known = ", ".join(RECORDS)
        raise Undecodable(f"a kind of record known to this version ({known})", shown(kind))
    record = parsed(adapter, content)
    for unlike in differences(plain(record), content, str(kind)):
        # A field that is left out has its default: older records mean just that.
        if unlike.expected is ABSENT:
            raise Undecodable("no field of this name", f"{unlike.path} = {shown(unlike.found)}")
        if unlike.found is not ABSENT:
            raise Undecodable(f"{unlike.path} as {shown(unlike.expected)}", shown(unlike.found))
    return cast("Record", record)


def _numbers(value: Any) -> Iterator[Decimal]:
    if isinstance(value, Decimal):
        yield value
        return
    for part in _parts(value):
        yield from _numbers(part)


def _parts(value: Any) -> Iterable[Any]:
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[Any]", value) if isinstance(value, list | tuple) else ()


def _absurd(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    exact = isinstance(exponent, int) and abs(exponent) <= MOST_DIGITS  # no NaN, no infinity
    return not exact or abs(number.adjusted()) > MOST_DIGITS


_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    kind: TypeAdapter(shape) for kind, shape in RECORDS.items()
}
