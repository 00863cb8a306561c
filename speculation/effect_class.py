"""What running an operation does to the world, and so whether it may run on a guess.

The classes are those of 2606.07846 3.3 and Atomix (2602.14849), in our words (design 4.7). A class is
declared in code, where the operation is registered, and never weakened by a run's input.
"""

from __future__ import annotations

from enum import StrEnum


class EffectClass(StrEnum):
    """From harmless to final."""

    PURE = "pure"
    """No effect and the same answer every time: one result may serve several needs."""
    READ = "read"
    """No effect, but the answer ages."""
    IDEMPOTENT = "idempotent"
    """Running it with arguments that prove wrong leaves nothing anyone must undo."""
    STAGEABLE = "stageable"
    """Can be prepared on a guess and thrown away; committed only when authoritative."""
    IRREVERSIBLE = "irreversible"
    """Never on a guess, whatever its expected value."""

    @property
    def is_tool(self) -> bool:
        """Whether a `tool` node may name it; otherwise an `effect` node must."""
        return self in (EffectClass.PURE, EffectClass.READ, EffectClass.IDEMPOTENT)


class Approval(StrEnum):
    """What the gate in front of an effect asks for."""

    REQUIRED = "required"
    """A signal that names the intent; one without a digest is recorded as blind."""
    EXACT = "exact"
    """A signal that names the intent and the digest of its arguments."""
    AUTO = "auto"
    """None: only where the operation's registration says so."""
