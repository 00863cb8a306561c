"""`forerun doctor`: what works, what does not, and what to type."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from forerun.workers.cli.process import CommandError, run

Fix = Annotated[
    bool, typer.Option("--fix", help="Register the search attributes that are missing.")
]
Model = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="NAME", help="Look up the price of provider:model as well."),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


def doctor(fix: Fix = False, model: Model = None, as_json: AsJson = False) -> None:
    """Look at the server, the workers and the settings here, and say what to mend.

    Exits with 0 if nothing fails, 1 otherwise.
    """
    from forerun.workers.cli.diagnosis import diagnose
    from forerun.workers.doctor.examine import Order
    from forerun.workers.log_config import configure

    for name in model or ():
        provider, _, rest = name.partition(":")
        if not (provider and rest):
            raise CommandError(f"--model: {name!r:.80} is not provider:model", code=2)
    configure("console", "error")
    order = Order(models=tuple(model or ()), fix=fix)
    raise typer.Exit(run(diagnose(os.environ, order, as_json=as_json)))
