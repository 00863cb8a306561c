"""A violation: what was expected of which event, and what was found there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from typing_extensions import override

from forerun.speculation.canonical import canonical_json
from forerun.speculation.quantities import text
from forerun.speculation.record import plain

LENGTH = 160
NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that does not hold, in one line.

    `node` is empty where it is about the run as a whole; `check` names the figure or the law.
    """

    event_id: int
    node: str
    check: str
    expected: str
    found: str

    @override
    def __str__(self) -> str:
        where = f"event {self.event_id}" + (f" · {self.node}" if self.node else "")
        return f"{where} · {self.check}: expected {self.expected}, found {self.found}"


def violation(event_id: int, node: str, check: str, expected: Any, found: Any) -> Violation:
    """A violation; values are shown as JSON, sentences as they are."""
    return Violation(
        event_id=event_id, node=node, check=check, expected=shown(expected), found=shown(found)
    )


def unless_equal(
    event_id: int, node: str, check: str, expected: Any, found: Any
) -> Iterator[Violation]:
    """A violation unless both are equal."""
    if expected != found:
        yield violation(event_id, node, check, expected, found)


def shown(value: Any) -> str:
    """`value` in one line that nobody has to scroll."""
    if value is None:
        words = NOTHING
    elif isinstance(value, Decimal):
        words = text(value)
    elif isinstance(value, str):
        words = " ".join(value.split())
    else:
        words = _json(value)
    return words if len(words) <= LENGTH else f"{words[: LENGTH - 1]}…"


def _json(value: Any) -> str:
    try:
        return canonical_json(plain(value))
    except ValueError:  # what a forged history holds need not be JSON
        return repr(value)
