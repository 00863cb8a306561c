"""What will be said, when, and what will break: everything about one answer before it begins.

The clock is in here only as offsets from the arrival of the request. They are absolute, never
"so long after the last token": relative sleeps drift by a tenth under load.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, repeat

from forerun.workers.standin.asks import Ask
from forerun.workers.standin.noise import Disturbance
from forerun.workers.standin.obedience import obedient
from forerun.workers.standin.profiles import Profile, profile_of
from forerun.workers.standin.replies import Reply, limited, made_up, scripted
from forerun.workers.standin.rules import Fault, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One answer to be given.

    `due` holds seconds after the arrival: of each token, then of the end. So the first token comes
    after the time to first token, and the whole takes that plus tokens / tokens per second.
    """

    reply: Reply
    due: tuple[float, ...]
    fault: Fault | None = None

    @property
    def breaks_at(self) -> int:
        """How many tokens leave before a mid-stream fault: half of them, rounded up."""
        return (len(self.reply.tokens) + 1) // 2


def make_plan(ask: Ask, rule: Rule | None, disturbance: Disturbance | None) -> Plan:
    """Decide the answer to `ask`."""
    profile = profile_of(ask.model)
    reply = limited(_tokens(ask, rule), profile.hidden_tokens, ask.max_output_tokens)
    fault = (rule and rule.fault) or (disturbance and disturbance.fault) or None
    first = _first_token_seconds(rule, profile, disturbance)
    if fault in ("429", "500") and (rule is None or rule.ttft_ms is None):
        first = 0.0  # a refusal comes before any thinking
    gaps = _gaps(len(reply.tokens), rule, profile, disturbance)
    return Plan(reply=reply, due=tuple(accumulate(gaps, initial=first)), fault=fault)


def _tokens(ask: Ask, rule: Rule | None) -> tuple[str, ...]:
    if rule is not None and rule.has_reply:
        return scripted(rule.reply, rule.output_tokens)
    length = rule.output_tokens if rule else None
    value = obedient(ask)
    return made_up(ask.user, length) if value is None else scripted(value, length)


def _first_token_seconds(
    rule: Rule | None, profile: Profile, disturbance: Disturbance | None
) -> float:
    if rule is not None and rule.ttft_ms is not None:
        return rule.ttft_ms / 1000
    return disturbance.ttft_seconds if disturbance else profile.ttft_seconds


def _gaps(
    count: int, rule: Rule | None, profile: Profile, disturbance: Disturbance | None
) -> list[float]:
    if rule is not None and rule.tokens_per_second is not None:
        return list(repeat(1 / rule.tokens_per_second, count))
    if disturbance is not None:
        return disturbance.gaps(count)
    return list(repeat(1 / profile.tokens_per_second, count))
