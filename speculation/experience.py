"""What this worker has seen of the calls that a node makes: how long they take, what they use.

The law: one odd call means nothing. A figure follows the median of the last few calls, slowly, so a
single call that stalls for ten times as long, or the slow first one of a fresh connection, leaves
it where it was; a model that has really become slower takes over within about ten calls.

Calls are alike if workload, node and operation are the same: a changed model starts anew. Memory is
bounded, and lost with the process; another worker has its own. No replay depends on it: decisions
are local activities, which a replay does not run, and what they used is in their records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from forerun.speculation.pricing import Usage
from forerun.speculation.quantities import FIGURES

ENOUGH_CALLS = 3
"""Of how many calls the median is taken; of fewer nothing is said. Ours."""

WEIGHT = Decimal("0.25")
"""How far a figure moves towards each new median. Ours."""

REMEMBERED = 4096
"""Kinds of calls in memory; the one not seen for longest makes room. Ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A call that ran to its end at the first attempt. Cut and failed ones teach nothing.

    `node` is the name in the spec, the same for all items of a fan-out. `input_bytes` is the length
    of what was sent, `ms` the duration of the call itself, without its wait in a queue. A tool has
    an empty `usage`.
    """

    workload: str
    node: str
    operation: str
    input_bytes: int
    ms: int
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a kind of call is usually like; both token figures are None for a tool."""

    ms: Decimal
    input_tokens_per_byte: Decimal | None
    output_tokens: Decimal | None


class Experience:
    """The memory of one process: the same observations in the same order, the same figures."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._kinds: dict[tuple[str, str, str], _Kind] = {}

    def learn(self, observations: Iterable[Observation]) -> None:
        """Take in calls that ended, in the order of their ends."""
        for call in observations:
            key = (call.workload, call.node, call.operation)
            # Entered again, it is the last to be forgotten.
            kind = self._kinds[key] = self._kinds.pop(key, None) or _Kind()
            kind.learn(call)
            if len(self._kinds) > self._remembered:
                del self._kinds[next(iter(self._kinds))]

    def of(self, workload: str, node: str, operation: str) -> Seen | None:
        """What these calls are usually like; None where too few were seen."""
        kind = self._kinds.get((workload, node, operation))
        return kind.seen() if kind else None


class _Kind:
    """Calls that are alike."""

    def __init__(self) -> None:
        self._ms = _Usual()
        self._input_tokens_per_byte = _Usual()
        self._output_tokens = _Usual()

    def learn(self, call: Observation) -> None:
        self._ms.follow(Decimal(call.ms))
        # No model call goes without input; without it, this is a tool, or nobody counted.
        if call.usage.input_tokens and call.input_bytes:
            per_byte = FIGURES.divide(Decimal(call.usage.input_tokens), Decimal(call.input_bytes))
            self._input_tokens_per_byte.follow(per_byte)
            self._output_tokens.follow(Decimal(call.usage.output_tokens))

    def seen(self) -> Seen | None:
        if self._ms.value is None:
            return None
        return Seen(
            ms=self._ms.value,
            input_tokens_per_byte=self._input_tokens_per_byte.value,
            output_tokens=self._output_tokens.value,
        )


class _Usual:
    """A moving average of the median of the last values; it begins as the first such median."""

    def __init__(self) -> None:
        self._last: deque[Decimal] = deque(maxlen=ENOUGH_CALLS)
        self.value: Decimal | None = None

    def follow(self, value: Decimal) -> None:
        self._last.append(value)
        if len(self._last) < ENOUGH_CALLS:
            return
        middle = sorted(self._last)[ENOUGH_CALLS // 2]
        before = middle if self.value is None else self.value
        with localcontext(FIGURES):
            self.value = before + WEIGHT * (middle - before)
