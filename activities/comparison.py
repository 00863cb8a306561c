"""What a comparison by a model (tier 3) is asked and answers: plain data, no machinery behind it."""

# No postponed annotations: pydantic would look their names up in sys.modules, and the workflow
# sandbox has only those modules there that the workflow itself imported.

from dataclasses import dataclass, field
from decimal import Decimal

from forerun.activities.call_result import Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """Two free texts: what was guessed, and what came. Never outputs of choices or a schema."""

    predicted: str
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The verdict: `tier` is 3 where the texts are equivalent, and None where they are not.

    `by` names who decided: `gates`, or an embedder or judge such as `openai:text-embedding-3-small`.
    `score` is the cosine of the embeddings, rounded down to 6 decimals; None where none was taken.
    `bill` is the price of finding out, over all attempts: whatever the verdict, it is spent.
    """

    tier: int | None
    by: str
    reason: str
    score: Decimal | None = None
    bill: Bill = field(default_factory=Bill)
