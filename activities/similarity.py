"""The seam between a comparison and whoever turns texts into vectors: a vendor, or a local model.

No local model comes with forerun: the weights are larger than all the rest, and of other licences.
To bring one, implement `Similarity` and hand it to `EquivalenceChecks`; `is_local` makes it free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forerun.speculation.pricing import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One vector per text, in order; `usage` is None where the provider sends none."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage | None


class Similarity(Protocol):
    """An embedder whose vectors of similar texts have a high cosine."""

    @property
    def operation(self) -> str:
        """Who it is, `provider:model`: the name it is priced by, and recorded with."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether it runs here, and so costs nothing."""
        ...

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """The vectors of `texts`, in one request.

        Raises:
            ProviderError: whatever goes wrong.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections; no call may follow."""
        ...
