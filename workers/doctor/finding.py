"""What the doctor finds: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`warn`: forerun works, with less; `fail`: something does not work at all."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact: what it is, what follows from it, and what to type to change that."""

    state: State
    subject: str
    what: str
    consequence: str = ""
    fix: str = ""


def ok(subject: str, what: str, consequence: str = "") -> Finding:
    """All is well."""
    return Finding(state=State.OK, subject=subject, what=what, consequence=consequence)


def warn(subject: str, what: str, consequence: str, fix: str) -> Finding:
    """It works, with less."""
    return Finding(state=State.WARN, subject=subject, what=what, consequence=consequence, fix=fix)


def fail(subject: str, what: str, consequence: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(state=State.FAIL, subject=subject, what=what, consequence=consequence, fix=fix)
