"""Text from models and strangers, made safe to print.

What people approve is what they see: a character that steers the terminal, or turns the direction
of writing, could show them something else.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with every character that is neither visible nor a line break written out."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
