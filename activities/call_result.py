"""What every call activity returns: `Completed`, or `Cut` with what had been spent until then.

The union exists from day one because a result of another type fails the *workflow task*, for ever.
Both members carry the bill of **all** attempts: a retry's tokens are paid for too.
"""

# No postponed annotations: pydantic would look their names up in sys.modules, and the workflow
# sandbox has only those modules there that the workflow itself imported.

from dataclasses import dataclass, field
from typing import Any, Literal

from forerun.speculation.billing import FREE, Cost
from forerun.speculation.pricing import Rates, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Tokens and dollars of a call over all its attempts, and the rates they were priced with."""

    usage: Usage = field(default_factory=Usage)
    cost: Cost = FREE
    rates: Rates | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The call ran to its end. `output` is canonical JSON data (`speculation.canonical`).

    `seconds` is the duration of the last attempt, `first_token_seconds` the time to its first
    token: None for tools.
    """

    kind: Literal["completed"] = "completed"
    output: Any
    bill: Bill
    seconds: float
    first_token_seconds: float | None = None
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The call was cancelled on request and its stream closed."""

    kind: Literal["cut"] = "cut"
    bill: Bill
    seconds: float
    first_token_seconds: float | None = None
    delivered_tokens: int = 0
    expected_tokens: int = 0


CallResult = Completed | Cut

MAX_OUTPUT_BYTES = 256 * 1024
"""Of an output's canonical JSON: what a run's history can afford for each (design 4.12)."""
