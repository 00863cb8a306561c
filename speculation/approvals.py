"""The gate in front of an effect: which signal opens it, which closes it, which counts for nothing.

The law: the first decision that is valid for an intent wins, and nothing after it matters. The
workflow's barrier applies this rule to the signals it received, the commit worker to those it finds
in the server's history, so neither has to believe the other.

Where an effect needs several people, the decision is the approval that completes their number;
until then a rejection closes the gate, whoever it comes from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from forerun.speculation.effect_class import Approval

Answer = Literal["approve", "reject"]
"""The names of the two signals."""

AUTO = "auto"
"""Who opened a gate that asks nobody."""

LATE = "came after the decision"
"""Why a signal counts for nothing that says what was said, or the opposite, once it is too late."""

LONGEST_NAME = 200
"""Characters of an approver's name and of an intent's: both are shown to whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSignal:
    """One well-formed `approve` or `reject`: who says what about which intent.

    Without a digest it speaks of whatever the intent turns out to be.
    """

    answer: Answer
    intent: str
    by: str
    digest: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A signal that decides nothing, and why: kept and shown, never raised."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A well-formed signal for this intent that decided nothing, and why."""

    signal: ApprovalSignal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The effect may be committed. `blind`: an approver did not name its digest."""

    approvers: tuple[str, ...]
    blind: bool = False
    ignored: tuple[Ignored, ...] = ()

    @property
    def by(self) -> str:
        """Who approved it, in the order of their approvals: `ann, ben`."""
        return ", ".join(self.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The effect will not happen."""

    by: str
    note: str | None = None
    ignored: tuple[Ignored, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Nobody has decided yet. `approvers` have approved, but more people are needed."""

    approvers: tuple[str, ...] = ()
    ignored: tuple[Ignored, ...] = ()


Gate = Open | Closed | Waiting


def parse_signal(answer: Answer, payload: Any) -> ApprovalSignal | Malformed:
    """The signal `answer` with the JSON value `payload`: `{"node", "by", "digest"?, "note"?}`.

    An unknown key is malformed: a misspelt `digest` would turn an exact approval into a blind one.
    """
    if not isinstance(payload, dict):
        return Malformed(reason=f'must be a JSON object with "node" and "by", got {payload!r:.80}')
    fields = cast("dict[str, Any]", payload)
    problem = _problem(fields)
    if problem is not None:
        return Malformed(reason=problem)
    return ApprovalSignal(
        answer=answer,
        intent=fields["node"],
        by=fields["by"],
        digest=fields.get("digest"),
        note=fields.get("note"),
    )


def decide_gate(
    signals: Iterable[ApprovalSignal],
    *,
    intent: str,
    digest: str,
    approval: Approval,
    approvals: int = 1,
) -> Gate:
    """The state of the gate of `intent` after `signals`, which are in the order of the history.

    A rejection always counts. An approval that names another digest never does, and where the
    operation asks for exact approvals neither does a blind one. `approvals` different people must
    approve: the same name twice counts once. A gate that asks nobody is open unless somebody has
    rejected the intent.
    """
    approved: dict[str, ApprovalSignal] = {}
    ignored: list[Ignored] = []
    for signal in signals:
        if signal.intent != intent:
            continue
        if signal.answer == "reject":
            return Closed(by=signal.by, note=signal.note, ignored=tuple(ignored))
        objection = _objection(signal, digest, approval, approved)
        if objection is not None:
            ignored.append(Ignored(signal=signal, reason=objection))
            continue
        approved[_person(signal)] = signal
        if len(approved) >= approvals:
            blind = any(it.digest is None for it in approved.values())
            return Open(approvers=_names(approved), blind=blind, ignored=tuple(ignored))
    if approval is Approval.AUTO:
        return Open(approvers=(AUTO,), ignored=tuple(ignored))
    return Waiting(approvers=_names(approved), ignored=tuple(ignored))


def unheeded(signals: Iterable[ApprovalSignal], gate: Gate) -> list[Ignored]:
    """Of the signals for one intent, after which its gate stood so, those that decided nothing.

    Duplicates and contradictions that came behind the decision are among them.
    """
    why = {id(it.signal): it.reason for it in gate.ignored}
    needed = len(gate.approvers) if isinstance(gate, Open) else 0
    counted, decided, found = 0, isinstance(gate, Open) and gate.by == AUTO, list[Ignored]()
    for signal in signals:
        if decided or id(signal) in why:
            found.append(Ignored(signal=signal, reason=why.get(id(signal), LATE)))
            continue
        counted += 1
        decided = signal.answer == "reject" or counted == needed
    return found


_REQUIRED = ("node", "by")
_OPTIONAL = ("digest", "note")
_DIGEST = re.compile("[0-9a-f]{64}")


def _problem(fields: dict[str, Any]) -> str | None:
    for key in fields:
        if key not in _REQUIRED + _OPTIONAL:
            return f"unknown key {key!r:.80}: the keys are node, by, digest, note"
    for key in _REQUIRED:
        value = fields.get(key)
        if not isinstance(value, str) or not value.strip():
            return f'"{key}" must be a non-empty string, got {value!r:.80}'
        if len(value) > LONGEST_NAME or not value.isprintable():
            most = f"at most {LONGEST_NAME} printable characters"
            return f'"{key}" must be a name of {most}, got {value!r:.80}'
    if _spelling(fields["by"]) == AUTO:
        return f'"by" cannot be {AUTO!r}, who opens the gates that ask nobody; give a name'
    for key in _OPTIONAL:
        value = fields.get(key)
        if value is not None and not isinstance(value, str):
            return f'"{key}" must be a string, got {value!r:.80}'
    named = fields.get("digest")
    if named is not None and not _DIGEST.fullmatch(named):
        return f'"digest" must be 64 lower-case hexadecimal digits, got {named!r:.80}'
    return None


def _objection(
    signal: ApprovalSignal, digest: str, approval: Approval, approved: Mapping[str, ApprovalSignal]
) -> str | None:
    if signal.digest is None and approval is Approval.EXACT:
        return "blind: this effect takes only an approval that names the digest of its arguments"
    if signal.digest is not None and signal.digest != digest:
        return f"approves digest {signal.digest[:12]}, but the arguments have {digest[:12]}"
    if _person(signal) in approved:
        return "has approved already: this effect needs different people"
    return None


def _person(signal: ApprovalSignal) -> str:
    return _spelling(signal.by)


def _spelling(name: str) -> str:
    """One spelling for names that a reader would take for the same person's."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _names(approved: Mapping[str, ApprovalSignal]) -> tuple[str, ...]:
    return tuple(signal.by for signal in approved.values())
