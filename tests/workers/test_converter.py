"""Any payload is read where no type is asked for; where one is, what does not fit is an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec
from typing_extensions import override

from forerun.workers.converter import Unreadable, data_converter, reading
from forerun.workers.plugin import forerun_plugin

ENCODINGS = st.sampled_from(
    [b"json/plain", b"json/protobuf", b"binary/plain", b"binary/null", b"binary/protobuf"]
)
TYPES = st.sampled_from([b"", b"temporal.api.common.v1.Payload", b"nobody.Knows", b"\xff"])


@dataclass
class Typed:
    name: str


def payload(encoding: bytes, data: bytes, message_type: bytes = b"") -> Payload:
    """One as the server hands it on."""
    return Payload(metadata={"encoding": encoding, "messageType": message_type}, data=data)


@given(ENCODINGS | st.binary(max_size=12), st.binary(max_size=40), TYPES)
@example(b"json/plain", b"[" * 300 + b"]" * 300, b"")
@example(b"json/plain", b"9" * 5000, b"")
@example(b"json/plain", b'"\\ud800"', b"")
@example(b"binary/encrypted", b"\x00", b"")
def test_any_payload_is_a_value(encoding: bytes, data: bytes, message_type: bytes) -> None:
    """Nothing raises: a signal would be dropped, and a spec fail its workflow task for ever."""
    made = payload(encoding, data, message_type)

    (value,) = data_converter.payload_converter.from_payloads([made])

    if isinstance(value, Unreadable):
        assert value.size == len(data)


def test_what_is_readable_is_read_as_ever() -> None:
    """Beside what is not, and in its place."""
    converter = data_converter.payload_converter
    broken = payload(b"json/plain", b"{")
    made = [*converter.to_payloads([{"node": "send"}, b"x", None]), broken]

    read: list[Any] = converter.from_payloads(made)

    assert read == [{"node": "send"}, b"x", None, Unreadable("json/plain", 1)]


def test_where_a_type_is_asked_for_it_is_that_or_an_error() -> None:
    """A user's own signal of a certain type never gets something else."""
    with pytest.raises(ValueError, match="Typed"):
        data_converter.payload_converter.from_payloads([payload(b"json/plain", b"{}")], [Typed])


@pytest.mark.parametrize("given", [None, DataConverter.default, pydantic_data_converter])
def test_any_other_converter_gives_way(given: DataConverter | None) -> None:
    """A client connects with the SDK's or pydantic's: runs are read by ours all the same."""
    assert reading(given) is data_converter


def test_a_codec_is_refused_and_not_dropped() -> None:
    """Who encrypts is told that nothing would be; in silence all would be in plain text."""
    given = replace(DataConverter.default, payload_codec=Encrypting())
    with pytest.raises(ValueError, match="payload codec"):
        forerun_plugin().configure_client(cast("Any", {"data_converter": given}))


class Encrypting(PayloadCodec):
    """Stands for any."""

    @override
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    @override
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)
