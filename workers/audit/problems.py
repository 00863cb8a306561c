"""What goes wrong while a history is read: collected, never raised."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from forerun.workers.audit.records import Undecodable
from forerun.workers.audit.violation import Violation, violation


class Problems:
    """Violations, in the order in which they were met."""

    def __init__(self) -> None:
        self.found: list[Violation] = []

    def note(self, event_id: int, node: str, check: str, expected: Any, found: Any) -> None:
        """Add one."""
        self.found.append(violation(event_id, node, check, expected, found))

    @contextmanager
    def at(self, event_id: int, check: str, node: str = "") -> Generator[None]:
        """What does not decode within the block is noted for this event, and the block left."""
        try:
            yield
        except Undecodable as error:
            self.note(event_id, node, check, error.expected, error.found)
