"""One spelling for every JSON value, and its digest.

Fingerprints, value digests and the record chain are hashes of this spelling. Outputs are
canonicalised before any template sees them, so two values that are equal here can't lead to
different downstream calls: `1.0` and `1` are one number, and composed and decomposed accents are
one text.

Nothing here nests deeper than 100 levels. What reads JSON for us ends at 200, and a result that a
workflow cannot read would retry its task for ever; so depth is refused where a value enters. The
errors quote no value: they end in histories, and what is no JSON may be a client with its password.
"""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from typing import Any, cast

MAX_DEPTH = 100
"""Levels of lists and objects; a result, a record or an answer to a query puts a few around them."""


def canonical(value: Any) -> Any:
    """`value` with NFC strings, string keys, integral floats as integers.

    Raises:
        ValueError: a NaN or an infinity, more than 100 levels, or something that JSON cannot hold.
    """
    return _canonical(value, MAX_DEPTH)


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


def _canonical(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return _canonical_float(value)
    if not isinstance(value, list | tuple | dict):
        raise ValueError(f"a value of type {type(value).__name__} is not JSON")
    if not levels:
        raise ValueError(f"lists and objects in more than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value).items()
        return {_key(key): _canonical(item, levels - 1) for key, item in entries}
    return [_canonical(item, levels - 1) for item in cast("list[Any]", value)]


def _canonical_float(value: float) -> float | int:
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not a JSON number")
    return int(value) if value.is_integer() else value


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"a key of type {type(key).__name__} is not JSON")
    return unicodedata.normalize("NFC", key)
