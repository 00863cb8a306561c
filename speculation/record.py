"""Records: decisions and outcomes as plain JSON, chained by hash.

Every record carries the hash of the one before it and its own: SHA-256 of its canonical JSON
without `sha256` itself. The last hash is in the run's result, so a record can neither be altered
nor left out unnoticed. Auditors hash the stored values as they are: a number that is formatted anew
is another number.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, cast

from forerun.speculation.billing import Basis
from forerun.speculation.canonical import digest
from forerun.speculation.pricing import Usage
from forerun.speculation.quantities import ZERO, text
from forerun.speculation.table import Ending

Record = dict[str, Any]

GENESIS = "0" * 64
"""`previous` of a run's first record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one speculation; written when its activity has ended.

    `cost_*` is what it cost, whoever pays for it; `wasted_usd` is that same `best` figure unless its
    result became a node's output (then 0). `approximates` are the guesses that stood for the actual
    values in the call when it was claimed: see `GuessCompared`.
    """

    kind: Literal["outcome"] = "outcome"
    at: str
    speculation: str
    node: str
    operation: str
    fingerprint: str
    bet: str
    label: str
    outcome: Ending
    reason: str
    usage: Usage
    delivered_tokens: int
    expected_tokens: int
    seconds: Decimal | None
    low_usd: Decimal | None
    best_usd: Decimal | None
    high_usd: Decimal | None
    basis: Basis
    wasted_usd: Decimal | None
    approximates: tuple[str, ...] = ()


class BoughtEnd(StrEnum):
    """What became of a bought guess."""

    ANSWERED = "answered"
    CUT = "cut"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """One call of a cheaper model that was bought as a guess; written when it has ended.

    `guess` names the unknown value that it was bought for. Its `best_usd` is spent on guessing,
    whatever it answered; several of a purchase have one decision.
    """

    kind: Literal["purchase"] = "purchase"
    at: str
    purchase: str
    guess: str
    node: str
    label: str
    operation: str
    fingerprint: str
    end: BoughtEnd
    reason: str
    usage: Usage
    delivered_tokens: int
    expected_tokens: int
    seconds: Decimal | None
    low_usd: Decimal | None
    best_usd: Decimal | None
    high_usd: Decimal | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessTested:
    """Whether a guess was right; written for every guess considered, launched or held.

    `tier` is the equivalence by which it was: 0 when it differs only in fields that nobody
    consumes, 1 when it is the same canonical JSON, 2 or 3 when it was found to say the same; None
    when it was wrong.
    """

    kind: Literal["guess"] = "guess"
    at: str
    guess: str
    node: str
    label: str
    source: str
    p: Decimal
    launched: bool
    actual_sha256: str | None
    right: bool
    tier: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessCompared:
    """Whether a guess may stand for the answer that came instead (tiers 2 and 3).

    Nothing is done by a verdict before it stands here. `tier` is None where the guess may not. `by`
    is `wording`, or the model that decided; `score` is the cosine of the two embeddings. The dollars
    are those of finding out, whatever was found.
    """

    kind: Literal["compared"] = "compared"
    at: str
    guess: str
    node: str
    label: str
    value_sha256: str
    actual_sha256: str
    tier: int | None
    by: str
    reason: str
    score: Decimal | None = None
    usage: Usage = field(default_factory=Usage)
    low_usd: Decimal | None = ZERO
    best_usd: Decimal | None = ZERO
    high_usd: Decimal | None = ZERO
    basis: Basis = Basis.EXACT


def plain(value: Any) -> Any:
    """`value` as JSON data: dataclasses as objects, decimals as plain decimal strings."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return text(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in cast("dict[str, Any]", value).items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value


def chained(records: list[Any], previous: str) -> list[Record]:
    """`records` as JSON data, each sealed to the one before it."""
    sealed: list[Record] = []
    for record in records:
        entry: Record = {**plain(record), "previous": previous}
        entry["sha256"] = previous = digest(entry)
        sealed.append(entry)
    return sealed


def seal_of(record: Record) -> str:
    """The hash that `record` should carry."""
    return digest({key: value for key, value in record.items() if key != "sha256"})


def calls_of(decision: Record) -> list[Record]:
    """The stakes of a decision's record that are calls of their own, not waits for results."""
    stakes = [exposure["stake"] for exposure in decision["calls"]]
    return [stake for stake in stakes if stake["fingerprint"] is not None]
