"""Operations of a user's own, for tests."""

from __future__ import annotations

from forerun.activities.registration import Arguments, operation
from forerun.speculation.effect_class import EffectClass


class About(Arguments):
    """What to read."""

    topic: str


@operation("gauge.read", version="1", effect=EffectClass.READ, max_age_seconds=0.3, seconds=0.5)
async def read_gauge(arguments: About) -> str:
    """A reading that is old after 0.3 s."""
    return f"reading of {arguments.topic}"
