"""What an alteration of a history is: done to it, and the check and the event that must speak up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.forging import Event, Forged

Alter = Callable[[Forged], Event]

ONES = "1" * 64
"""A hash of nothing that there is."""


@dataclass(frozen=True, slots=True)
class Tampering:
    """Alters the history of this name; `check` must name the event that `alter` returns."""

    name: str
    history: str
    check: str
    alter: Alter


def collecting(found: list[Tampering]) -> Callable[[str, str], Callable[[Alter], Alter]]:
    """A decorator that adds functions to a list, with a history and a check."""

    def altering(history: str, check: str) -> Callable[[Alter], Alter]:
        def add(alter: Alter) -> Alter:
            found.append(Tampering(alter.__name__.replace("_", " "), history, check, alter))
            return alter

        return add

    return altering


def field(
    name: str, history: str, kind: str, where: dict[str, Any], path: str, to: Any, check: str
) -> Tampering:
    """One field of one record set to another value; `path` is like `calls.0.share`."""

    def alter(forged: Forged) -> Event:
        marker = forged.marker(kind, **where)
        with forged.record(kind, **where) as record:
            *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
            holder: Any = record
            for step in way:
                holder = holder[step]
            assert holder.get(last) != to
            holder[last] = to
        return marker

    return Tampering(name, history, check, alter)
