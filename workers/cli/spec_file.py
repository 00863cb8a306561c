"""A spec on disk: read, adjusted by what the command line says, and checked before it is sent.

The check is the workflow's own parser, so a spec that passes here fails a run only for what a
worker alone can know: which operations there are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from forerun.workers.cli.process import CommandError
from forerun.workflows.spec import SpecError, parse_spec


def read_spec(path: Path, policy: dict[str, str]) -> dict[str, Any]:
    """The spec in a file, with the keys of `policy` in place of its own.

    Raises:
        CommandError: the file cannot be read, or does not hold a valid spec.
    """
    raw = _with_policy(_json(path), policy)
    try:
        parse_spec(raw)
    except SpecError as error:
        raise CommandError(f"{path}: {error}", code=2) from error
    return raw


def _with_policy(raw: Any, policy: dict[str, str]) -> Any:
    """What is no spec stays as it is: the parser will say so."""
    if not (policy and isinstance(raw, dict)):
        return raw
    spec = cast("dict[str, Any]", raw)
    own = spec.get("policy", {})
    if not isinstance(own, dict):
        return spec
    return {**spec, "policy": cast("dict[str, Any]", own) | policy}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", code=2) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: not UTF-8: write JSON in UTF-8", code=2) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise CommandError(f"{path}: no JSON: {error.msg} at {place}", code=2) from error
    except RecursionError as error:
        raise CommandError(f"{path}: nested too deeply", code=2) from error
