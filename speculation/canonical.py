"""One spelling for every JSON value, and its digest.

Fingerprints, value digests and the record chain are hashes of this spelling. Outputs are
canonicalised before any template sees them, so two values that are equal here can't lead to
different downstream calls: `1.0` and `1` are one number, and composed and decomposed accents are
one text.
"""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from typing import Any, cast


def canonical(value: Any) -> Any:
    """`value` with NFC strings, string keys, integral floats as integers.

    Raises:
        ValueError: a NaN or an infinity, or something that JSON cannot hold.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, float):
        return _canonical_float(value)
    if isinstance(value, list | tuple):
        return [canonical(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {_key(key): canonical(item) for key, item in cast("dict[Any, Any]", value).items()}
    raise ValueError(f"{type(value).__name__} {value!r:.80} is not a JSON value")


def canonical_json(value: Any) -> str:
    """The canonical text of `value`: sorted keys, no spaces, characters as they are."""
    return json.dumps(
        canonical(value),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def digest(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of `value` in UTF-8."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _canonical_float(value: float) -> float | int:
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not a JSON number")
    return int(value) if value.is_integer() else value


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{key!r} is not a JSON object key")
    return unicodedata.normalize("NFC", key)
