"""A guess says: this node will output that value, with a probability and a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from forerun.speculation.beliefs import Beta
from forerun.speculation.canonical import canonical_json, digest

LABEL_LENGTH = 40


class GuessSource(StrEnum):
    """Where a guess comes from (design 1); each system that forerun unites is one of these."""

    VALUE = "value"
    NODE = "node"
    HISTORY = "history"
    MODEL = "model"
    STREAM = "stream"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One value for one node. Guesses for the same node exclude each other.

    `made_from` names the speculation whose result the guess was made from, if any: the guess then
    holds only if that speculation's assumptions do.
    """

    node: str
    value: Any
    source: GuessSource
    belief: Beta
    made_from: str | None = None
    digest: str = field(init=False)
    """SHA-256 (hex) of the canonical value; hashed once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest(self.value))

    @property
    def id(self) -> str:
        """Unique within a run: the same value guessed twice for a node is one guess."""
        return guess_id(self.node, self.digest)

    @property
    def label(self) -> str:
        """For people: `classify="billing"`, long values cut."""
        shown = canonical_json(self.value)
        return (
            f"{self.node}={shown[: LABEL_LENGTH - 1] + '…' if len(shown) > LABEL_LENGTH else shown}"
        )


def guess_id(node: str, sha256: str) -> str:
    """What the guess is called that says that `node` puts out the value of this hash."""
    return f"{node}@{sha256[:12]}"
