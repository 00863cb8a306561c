"""Whether the arguments that a disclosure policy redacts exist.

A path that names nothing would redact nothing, and nobody would notice until it had been sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forerun.speculation.disclosure import Disclosure, Mode

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def check_paths(policy: Disclosure, schema: Mapping[str, Any]) -> None:
    """Check the paths of `policy` against the JSON Schema of the arguments.

    Raises:
        ValueError: a path that leads nowhere, none at all, or some that are not used.
    """
    if (policy.mode is Mode.REDACT) is not bool(policy.paths):
        raise ValueError('redaction names what it redacts: write redact("customer.email")')
    for path in policy.paths:
        if not _PATH.fullmatch(path):
            raise ValueError(f"cannot redact {path!r:.80}: write names joined by dots")
        if not _leads(path.split("."), schema, schema):
            raise ValueError(f"cannot redact {path!r:.80}: there is no such argument")


def _leads(steps: list[str], node: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether an object of this schema may hold the path; one that is open may hold any."""
    if not steps:
        return True
    if "$ref" in node:
        return _leads(steps, root["$defs"][node["$ref"].rpartition("/")[2]], root)
    if options := node.get("anyOf", node.get("oneOf")):
        return any(_leads(steps, option, root) for option in options)
    if node.get("type", "object") != "object":
        return False
    others = node.get("additionalProperties", True)
    inner = node.get("properties", {}).get(steps[0], others)
    return inner if isinstance(inner, bool) else _leads(steps[1:], inner, root)
