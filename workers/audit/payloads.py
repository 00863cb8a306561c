"""Payloads of a history as JSON values.

Histories of forerun hold plain JSON. One that was written through a codec is decoded by whoever has
the key, before it is audited.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from forerun.workers.audit.records import Undecodable

T = TypeVar("T")

JSON = (b"json/plain", b"json/protobuf")
NULL = b"binary/null"


def values_of(payloads: Any) -> list[Any]:
    """The values of a `Payloads` message.

    Raises:
        Undecodable: one of them is not plain JSON.
    """
    return [value_of(payload) for payload in payloads.payloads]


def value_of(payload: Any) -> Any:
    """The value of one `Payload` message. Raises as `values_of` does."""
    encoding = payload.metadata.get("encoding", b"")
    if encoding == NULL:
        return None
    if encoding not in JSON:
        raise Undecodable("plain JSON", f"the encoding {encoding.decode(errors='replace')!r:.40}")
    return json_of(payload.data)


def only(values: Sequence[T]) -> T:
    """The one value that there must be. Raises as `values_of` does."""
    if len(values) != 1:
        raise Undecodable("one value", str(len(values)))
    return values[0]


def object_of(value: Any) -> dict[str, Any]:
    """`value` if it is a JSON object; an empty one for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def json_of(data: bytes) -> Any:
    """What these bytes spell. Raises as `values_of` does."""
    try:
        value = json.loads(data.decode())
        if b"\\u" in data:  # half a surrogate pair is JSON, and no text that could be hashed
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError) as error:
        raise Undecodable("JSON", f"{error}") from None
