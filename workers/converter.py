"""How payloads are read: what nobody can read is a value too.

The SDK drops a signal that it cannot decode, with a line in a worker's log; so an approval that was
encrypted for somebody else, or nested without end, would be in the history and nowhere else. A run's
input that it cannot decode fails the workflow task, again and again. Where a type is asked for, that
is right: but approvals and specs are asked for as any JSON, and parsed by our own code. It is
handed an `Unreadable` then, and refuses it by name like everything else that is no approval or spec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import ParseError
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter
from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A payload that does not decode: the encoding that it names, and its size in bytes."""

    encoding: str
    size: int


class ReadingConverter(PydanticPayloadConverter):
    """pydantic's, which reads any payload where no type is asked for."""

    @override
    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        if type_hints is not None:
            return super().from_payloads(payloads, type_hints)
        return [self._read(payload) for payload in payloads]

    def _read(self, payload: Payload) -> Any:
        try:
            return super().from_payloads([payload])[0]
        # In this order: an encoding that is unknown or broken, JSON that is none, protobuf likewise.
        except (KeyError, RuntimeError, ValueError, ParseError, DecodeError):
            encoding = payload.metadata.get("encoding", b"").decode(errors="replace")
            return Unreadable(encoding=encoding, size=len(payload.data))


data_converter = DataConverter(payload_converter_class=ReadingConverter)


def reading(given: DataConverter | None) -> DataConverter:
    """Our converter in place of the one that a client or worker was given.

    Raises:
        ValueError: that one has a codec. Without a word nothing would be encrypted any more, and
            with it the workers that make the calls could not read them.
    """
    if given is not None and given.payload_codec is not None:
        raise ValueError("forerun works with no payload codec yet: connect without `payload_codec`")
    return data_converter
