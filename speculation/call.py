"""A call: an operation with concrete arguments. Its fingerprint is what guesses are tested by.

Nobody compares guesses with answers to find out whether a speculation was right: the downstream
call is rendered again with the actual value, and either its fingerprint is in the table or not.
Fields that nobody consumes therefore never matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from forerun.speculation.canonical import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An operation (`openai:sim-mid`, `kb.search`) at a version with concrete arguments."""

    operation: str
    version: str
    arguments: dict[str, Any]
    fingerprint: str = field(init=False)
    """SHA-256 (hex) of operation, version and canonical arguments; hashed once."""

    def __post_init__(self) -> None:
        hashed = digest([self.operation, self.version, self.arguments])
        object.__setattr__(self, "fingerprint", hashed)
