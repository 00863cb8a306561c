"""How fast the stand-in's models are: medians of public measurements, rounded.

Plain figures without randomness; `noise` spreads them. A model name that is not here is as fast as
`sim-mid`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The speed of one model.

    `ttft_sigma` is the sigma of the lognormal around the median, `jitter` the relative deviation of
    one gap between tokens; both only matter under noise. `hidden_tokens` are generated before the
    first visible one, billed, and never delivered.
    """

    ttft_seconds: float
    ttft_sigma: float
    tokens_per_second: float
    jitter: float
    hidden_tokens: int = 0


PROFILES = {
    "sim-small": Profile(ttft_seconds=0.45, ttft_sigma=0.35, tokens_per_second=150, jitter=0.20),
    "sim-mid": Profile(ttft_seconds=0.75, ttft_sigma=0.40, tokens_per_second=90, jitter=0.20),
    "sim-large": Profile(ttft_seconds=1.5, ttft_sigma=0.45, tokens_per_second=40, jitter=0.25),
    "sim-reasoning": Profile(
        ttft_seconds=6.0, ttft_sigma=0.6, tokens_per_second=90, jitter=0.20, hidden_tokens=600
    ),
    # Embeddings have no output: only the first figure counts.
    "text-embedding-3-small": Profile(
        ttft_seconds=0.2, ttft_sigma=0.4, tokens_per_second=1, jitter=0
    ),
}


def profile_of(model: str) -> Profile:
    """The profile of `model`."""
    return PROFILES.get(model, PROFILES["sim-mid"])
