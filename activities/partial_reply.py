"""What is certain of a reply that still streams. Pure.

The law: what is certain stays so until the reply ends, if the reply is valid at all. So nothing is
completed here that may go on: `1` may become `12`, `bill` become `billing`, and `e` become `é`.

The surprise: no parser of partial JSON takes part. One that mends broken text cannot say which of
its last values were whole, and a key that occurs twice hides which value was the last. Instead the
text is cut behind its last whole field and closed; that is read exactly like a whole reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol
from unicodedata import combining, normalize

from forerun.activities.replies import InvalidReply, output_bytes, read_json
from forerun.speculation.canonical import canonical

MAX_PARTIAL_BYTES = 64 * 1024
"""Of what is passed on: a run's history pays for each."""


class PartialReply(Protocol):
    """A reply in the making."""

    def read(self, piece: str) -> bool:
        """Take the next piece; True if it may have made something certain."""
        ...

    def certain(self) -> Any:
        """What is certain of the output by now, canonical; None for nothing."""
        ...


def partial_reply(
    choices: Sequence[str] | None, schema: dict[str, Any] | None, field: str | None
) -> PartialReply | None:
    """A reply of which nothing has been read; None for free text, which is never certain.

    `field`: nothing of an object is certain before this field is.
    """
    if choices is not None:
        return PartialChoice(choices)
    return None if schema is None else PartialObject(field)


class PartialChoice:
    """A reply that must be one of the choices: certain once only one can still come of it."""

    def __init__(self, choices: Sequence[str]) -> None:
        # Decomposed, as one letter composed of two pieces is no continuation of the first.
        self._possible = {normalize("NFD", choice).strip(): canonical(choice) for choice in choices}
        self._text = ""

    def read(self, piece: str) -> bool:
        """See `PartialReply.read`."""
        if not self._possible or self.certain() is not None:
            return False
        self._text = (self._text + piece).lstrip()
        settled = _settled(self._text)
        self._possible = {
            spelled: choice
            for spelled, choice in self._possible.items()
            if spelled.startswith(settled) or spelled == settled.rstrip()
        }
        return len(self._possible) == 1

    def certain(self) -> str | None:
        """See `PartialReply.certain`."""
        if len(self._possible) == 1 and self._text:
            return next(iter(self._possible.values()))
        return None


class PartialObject:
    """A reply that must be JSON: of an object, the fields are certain that are whole.

    A field is whole before a comma or the closing brace. With `field`, nothing is certain until
    that field is, and then exactly what stands up to it: the same value, whenever one looks.
    """

    def __init__(self, field: str | None = None) -> None:
        self._field = field
        self._text = ""
        self._whole = 0
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def read(self, piece: str) -> bool:
        """See `PartialReply.read`."""
        if len(self._text) > MAX_PARTIAL_BYTES:
            return False
        whole, start = self._whole, len(self._text)
        self._text += piece
        for position, character in enumerate(piece, start):
            self._step(position, character)
        return self._whole > whole

    def certain(self) -> dict[str, Any] | None:
        """See `PartialReply.certain`."""
        try:
            fields = self._wanted(read_json(self._text[: self._whole] + "}"))
            fits = output_bytes(fields) <= MAX_PARTIAL_BYTES
        except InvalidReply:
            return None
        return fields if fields and fits else None

    def _step(self, position: int, character: str) -> None:
        if self._quoted:
            self._quoted = self._escaped or character != '"'
            self._escaped = character == "\\" and not self._escaped
        elif character == '"':
            self._quoted = True
        else:
            if character in ",}" and self._depth == 1:
                self._whole = position
            self._depth += _DEPTH.get(character, 0)

    def _wanted(self, fields: dict[str, Any]) -> dict[str, Any]:
        if self._field is None:
            return fields
        names = list(fields)
        up_to = names.index(self._field) + 1 if self._field in fields else 0
        return {name: fields[name] for name in names[:up_to]}


_DEPTH: Mapping[str, int] = MappingProxyType({"{": 1, "[": 1, "}": -1, "]": -1})


def _settled(text: str) -> str:
    """The part of `text`, decomposed, that no later piece changes: accents may still be reordered."""
    decomposed = normalize("NFD", text)
    while decomposed and combining(decomposed[-1]):
        decomposed = decomposed[:-1]
    return decomposed
