"""What a run tells the local activities that decide, and what they answer.

Their arguments are not in history, so nothing here is a record: whatever a decision was made from
is in the record that it returns.
"""

# No postponed annotations: pydantic would look their names up in sys.modules, and the workflow
# sandbox has only those modules there that the workflow itself imported.

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from forerun.activities.call_result import CallResult, Completed
from forerun.activities.operation import OperationCard
from forerun.speculation.bet import Assumption, Condition, Implication, Refusal
from forerun.speculation.disclosure import Mode
from forerun.speculation.estimates import Work
from forerun.speculation.experience import Observation
from forerun.speculation.policy import Policy
from forerun.speculation.record import Bought, GuessCompared, GuessTested, Outcome, Record


class Phase(StrEnum):
    """Where an unfinished node stands, as far as time is concerned."""

    WAITING = "waiting"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node as the decision sees it; `work` is None where only people or commits take time."""

    upstream: tuple[str, ...]
    work: Work | None
    phase: Phase = Phase.WAITING
    elapsed_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """A call of a bet. `disclosure` is the policy under which its arguments may leave.

    `fingerprint` is None while it waits for the results of `waits_for`, or for a guess to be bought.
    """

    node: str
    fingerprint: str | None
    waits_for: tuple[str, ...]
    input_bytes: int
    disclosure: Mode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BetView:
    """A set of assumptions and the calls that hang on it, in topological order.

    `alternatives` are sets that exclude it, and each other, and lead to the very same calls.
    """

    question: str
    assumptions: tuple[Assumption, ...]
    alternatives: tuple[tuple[Assumption, ...], ...]
    conditions: tuple[Condition, ...]
    calls: tuple[CallView, ...]
    refused: tuple[Refusal, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseView:
    """A guess for `node` that could be bought: `k` answers to one call, which `work` describes.

    Nobody knows the value yet: `assumption` stands for it, and the `calls` that would hang on it, in
    topological order, have no fingerprint; one that waits for no other starts when the answer is there.
    """

    question: str
    node: str
    operation: str
    k: int
    fingerprint: str
    input_bytes: int
    work: Work
    assumption: Assumption
    conditions: tuple[Condition, ...]
    calls: tuple[CallView, ...]
    refused: tuple[Refusal, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeculationView:
    """One way in which a launched, unclaimed speculation may prove right."""

    node: str
    fingerprint: str
    assumptions: tuple[Assumption, ...]
    done: bool
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRequest:
    """A decision point. `nodes` are the unfinished ones, in topological order.

    `held` are the questions already answered with hold: not recorded again. `implications` are what
    results of speculations say of nodes that are not over.
    """

    at: datetime
    policy: Policy
    funds_usd: Decimal
    nodes: dict[str, NodeView]
    placed: tuple[SpeculationView, ...]
    bets: tuple[BetView, ...]
    held_back: dict[str, str]
    held: tuple[str, ...]
    previous: str
    purchases: tuple[PurchaseView, ...] = ()
    implications: tuple[Implication, ...] = ()
    observed: tuple[Observation, ...] = ()
    """What the calls that ended since the last request have taught (`observation`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleRequest:
    """What has become certain: ends of speculations and purchases, and what became of guesses.

    Those `compared` met a model that says whether they may stand for the answer.
    """

    outcomes: tuple[Outcome, ...]
    guesses: tuple[GuessTested, ...]
    previous: str
    purchases: tuple[Bought, ...] = ()
    compared: tuple[GuessCompared, ...] = ()
    observed: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """The start of a run: what it names that only a worker knows."""

    at: datetime
    version: str
    spec_sha256: str | None
    policy: Policy
    operations: tuple[str, ...]
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnRequest:
    """Operations that a run has come to name since it was opened."""

    at: datetime
    operations: tuple[str, ...]
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first record: the cards of the operations that the run names and this worker knows.

    `spec_sha256` is None where a workflow of a user's own declares its steps as it goes.
    """

    kind: str = "opening"
    at: str
    version: str
    spec_sha256: str | None
    policy: Policy
    operations: dict[str, OperationCard]
    known_operations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The cards of operations that were named later."""

    kind: str = "operations"
    at: str
    operations: dict[str, OperationCard]
    known_operations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The result of every local activity, and the content of its marker."""

    records: list[Record] = field(default_factory=list[Record])


def observation(work: Work, input_bytes: int, result: CallResult | None) -> Observation | None:
    """What an ended call of `work` teaches, if anything.

    A cut or failed one only shows how long such calls take at least, and the tokens of one that was
    tried again are those of several.
    """
    if not isinstance(result, Completed) or result.bill.attempts != 1:
        return None
    return Observation(
        workload=work.workload,
        node=work.node,
        operation=work.operation,
        input_bytes=input_bytes,
        ms=round(result.seconds * 1000),
        usage=result.bill.usage,
    )
