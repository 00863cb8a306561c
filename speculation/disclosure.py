"""What a speculative call may tell whoever answers it.

A read that proves needless has changed nothing, but it has told its provider something, and nothing
can unsay that: only what is decided before it is sent helps (2606.02483). So an operation declares
which of its arguments may leave while they rest on a guess. Certain arguments always may: they are
what the authoritative call will send.

The surprise: nothing is ever sent in place of a redacted argument. A call with other arguments is
another call, with a fingerprint that nobody will look up; it would tell the provider half, cost the
whole, and serve nobody. What is redacted is waited for, and the call then goes out as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """From open to closed."""

    ALLOW = "allow"
    """Any argument may be a guess."""
    REDACT = "redact"
    """The arguments at the paths named must be certain."""
    DEFER = "defer"
    """Every argument must be certain; only whether the call is needed may be a guess."""
    BLOCK = "block"
    """Never sent ahead: even that it is made would tell too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The policy of an operation. `paths` are arguments, such as `customer.email`, for `REDACT`."""

    mode: Mode = Mode.ALLOW
    paths: tuple[str, ...] = ()


ALLOW = Disclosure()
DEFER = Disclosure(mode=Mode.DEFER)
BLOCK = Disclosure(mode=Mode.BLOCK)


def redact(*paths: str) -> Disclosure:
    """The arguments at `paths`, with all that is in them, are sent only once they are certain."""
    return Disclosure(mode=Mode.REDACT, paths=paths)


def withheld(policy: Disclosure, guessed: Iterable[str]) -> str | None:
    """Why a speculative call is not sent; None if it may be, exactly as it is.

    `guessed` are the paths (`items[0].name`) of the arguments that rest on a guess, or on the
    result of a speculation: each with everything inside; the empty path is all of them.
    """
    match policy.mode:
        case Mode.ALLOW:
            return None
        case Mode.REDACT:
            redacted = (path for path in guessed if any(_meet(path, p) for p in policy.paths))
            return _reason(policy.mode, next(redacted, None))
        case Mode.DEFER:
            return _reason(policy.mode, next(iter(guessed), None))
        case Mode.BLOCK:
            return f"disclosure: {policy.mode}"


def _reason(mode: Mode, path: str | None) -> str | None:
    return None if path is None else f"disclosure: {mode} {path or 'all'} until it is certain"


def _meet(path: str, other: str) -> bool:
    """Whether one of the two lies within the other."""
    return _within(path, other) or _within(other, path)


def _within(path: str, whole: str) -> bool:
    return whole in ("", path) or path.startswith((f"{whole}.", f"{whole}["))
