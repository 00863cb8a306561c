"""What one pair of runs is made of: all of it plain data, all of it from one seed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Manner(StrEnum):
    """How people treat an intent."""

    EARLY = "early"
    """Approved before it exists."""
    ASKED = "asked"
    """Approved, blind, once it waits."""
    EXACT = "exact"
    """Approved by digest, once it waits, and then once more."""
    CORRECTED = "corrected"
    """Approved for other arguments first: that counts for nothing."""
    REFUSED_EARLY = "refused_early"
    REFUSED = "refused"
    SILENT = "silent"
    """Nobody answers, and the intent expires."""

    @property
    def early(self) -> bool:
        """Answered as soon as the run has started."""
        return self in (Manner.EARLY, Manner.REFUSED_EARLY)

    @property
    def leads_to(self) -> str:
        """What becomes of the effect."""
        if self is Manner.SILENT:
            return "expired"
        return "rejected" if self in (Manner.REFUSED, Manner.REFUSED_EARLY) else "committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """What an operator changes in a live run, and when: seconds after its start."""

    after_seconds: float
    update: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A spec, what the models say to it, and what people do about it.

    `rules` are those of the stand-in, `manners` go by intent.
    """

    seed: int
    spec: dict[str, Any]
    rules: list[dict[str, Any]]
    manners: dict[str, Manner]
    changes: list[PolicyChange]

    @property
    def control(self) -> dict[str, Any]:
        """The same spec with speculation off."""
        spec = copy.deepcopy(self.spec)
        spec["policy"]["budget_usd"] = "0"
        return spec
