"""`forerun standin`: the stand-in model server alone, and what a child process of `up` runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from forerun.workers.cli.process import CommandError
from forerun.workers.standin.rules import BadRules, parse_rules
from forerun.workers.standin.serve import StandIn, serve
from forerun.workers.standin_process import ready_line


async def standin(host: str, port: int, rules: Path | None, noise: int | None) -> int:
    """Serve until a signal.

    Raises:
        CannotListen: the port is taken.
        CommandError: the rules are bad.
    """
    script = _rules(rules) if rules else []

    def ready(running: StandIn) -> None:
        running.set_rules(script)
        line = f"{ready_line(running.url)}  OPENAI_BASE_URL={running.openai_base_url}"
        print(f"{line}  ANTHROPIC_BASE_URL={running.anthropic_base_url}", flush=True)

    await serve(host, port, noise, ready=ready)
    return 0


def _rules(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_bytes()
        parse_rules(text)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", code=2) from error
    except BadRules as error:
        raise CommandError(f"{path}: {error}", code=2) from error
    return json.loads(text)
