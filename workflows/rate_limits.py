"""A provider that said 429 is left to certain work for a while.

Speculation on it is held until its Retry-After, or 30 s, has passed (design 4.5). Failures that
reach the workflow are looked at; of a 429 that a retry absorbs, the call itself tells (checkpoints).
"""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.failures import rate_limited_seconds
    from forerun.workflows.dispatch import Ended
    from forerun.workflows.run_state import now_ms


class RateLimits:
    """Until when each provider is left alone, in workflow time."""

    def __init__(self) -> None:
        self._until_ms: dict[str, int] = {}

    def note(self, operation: str, ended: Ended) -> None:
        """Look at the end of a call for a rate limit."""
        seconds = rate_limited_seconds(ended.failure) if ended.failure else None
        if seconds is not None:
            self.hold(operation.partition(":")[0], seconds)

    def hold(self, provider: str, seconds: float) -> None:
        """Leave a provider alone for so long."""
        self._until_ms[provider] = now_ms() + round(seconds * 1000)

    def held_back(self) -> dict[str, str]:
        """The providers to leave alone now, with the reason that a decision records."""
        now = now_ms()
        return {
            provider: f"rate_limited: {provider}"
            for provider, until in self._until_ms.items()
            if until > now
        }
