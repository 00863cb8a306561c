"""An effect as plain data: wishing for it takes no power to perform it.

A workflow holds an `Intent` until its ancestry is authoritative and its gate is open, then sends a
`CommitRequest`. Only `activities.effects` can turn that into a fact, and it checks everything again.
What is stageable may be prepared before: a `StageRequest` on a guess, and a `DiscardRequest` for
every stage that its intent was not committed with.
"""

# No postponed annotations: pydantic would look their names up in sys.modules, and the workflow
# sandbox has only those modules there that the workflow itself imported.

from dataclasses import dataclass
from typing import Any

from forerun.activities.call_result import Bill
from forerun.activities.operation import OperationCard
from forerun.speculation.canonical import canonical, digest
from forerun.speculation.effect_class import Approval, EffectClass
from forerun.speculation.equivalence import Approximation

STAGE, DISCARD, SWEEP = "stage", "discard", "sweep"
"""The types of the activities around a commit: who schedules one by its name needs no power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRequest:
    """What a workflow asks the commit worker to do.

    `exact` asks for an approval that names the digest although the operation would take a blind
    one: the request can tighten the gate, never loosen it.
    """

    intent: str
    operation: str
    version: str
    arguments: dict[str, Any]
    digest: str
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitReceipt:
    """Proof that the effect happened once: the same again for every repeated request.

    `receipt` is what the operation returned. `approved_by` is everybody who approved, `"auto"` where
    nobody was asked; `blind` if one of them did not name the digest.
    """

    intent: str
    idempotency_key: str
    digest: str
    approved_by: str
    blind: bool
    receipt: dict[str, Any]
    bill: Bill
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRequest:
    """Prepare what `intent` would commit if it came to these arguments."""

    intent: str
    operation: str
    version: str
    arguments: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardRequest:
    """Throw away the stage of `intent` for the arguments with this digest, if there is one."""

    intent: str
    operation: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """Throw away the stages of all runs that no run will come back to.

    Younger ones are left alone: the run that made them is most likely busy with them.
    """

    older_than_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many stages a sweep threw away, and how many it found in use."""

    discarded: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An effect that has not happened: canonical arguments, their digest, what its gate asks for.

    `intent` is its name within the run: the node, `node[i]` in a for_each, or an explicit key.
    `approximations` are those that its arguments go back to.
    """

    intent: str
    operation: str
    version: str
    arguments: dict[str, Any]
    digest: str
    approval: Approval
    effect: EffectClass
    approvals: int = 1
    approximations: tuple[Approximation, ...] = ()

    @classmethod
    def of(
        cls,
        card: OperationCard,
        *,
        intent: str,
        arguments: dict[str, Any],
        approximations: tuple[Approximation, ...] = (),
    ) -> "Intent":
        """The wish to run the operation of `card` with `arguments`.

        If these go back to an approximation, it takes an approval that names their digest, whatever
        the operation asks for.

        Raises:
            ValueError: the arguments are not JSON.
        """
        return cls(
            intent=intent,
            operation=card.name,
            version=card.version,
            arguments=canonical(arguments),
            digest=digest(arguments),
            approval=Approval.EXACT if approximations else card.approval,
            effect=card.effect,
            approvals=card.approvals,
            approximations=approximations,
        )

    def request(self) -> CommitRequest:
        """What to send to the commit worker once the gate is open."""
        return CommitRequest(
            intent=self.intent,
            operation=self.operation,
            version=self.version,
            arguments=self.arguments,
            digest=self.digest,
            exact=self.approval is Approval.EXACT,
        )

    def staging(self) -> StageRequest:
        """What to send ahead, of a stageable effect, while this is still a guess."""
        return StageRequest(
            intent=self.intent,
            operation=self.operation,
            version=self.version,
            arguments=self.arguments,
            digest=self.digest,
        )

    def discarding(self) -> DiscardRequest:
        """What to send for a stage that this was not committed with, however the stage ended."""
        return DiscardRequest(
            intent=self.intent,
            operation=self.operation,
            version=self.version,
            digest=self.digest,
        )
