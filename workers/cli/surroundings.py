"""What a command finds around it: settings, a server and its UI, a CLI, the user's own modules."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec

from temporalio.client import Client

from forerun.workers.cli.links import Pages, pages_of
from forerun.workers.cli.process import CommandError, complain, run
from forerun.workers.connection import NoConnection, Server
from forerun.workers.log_config import configure
from forerun.workers.settings import EFFECT_URLS, Settings, SettingsError

P = ParamSpec("P")


def settings(*, quiet: bool = False) -> Settings:
    """The settings, with logging configured by them; `quiet`: nothing but errors.

    Raises:
        CommandError: a variable holds what it must not.
    """
    try:
        found = Settings.from_env(os.environ)
    except SettingsError as error:
        raise CommandError(str(error), code=2) from error
    configure(found.log, "error" if quiet else found.log_level)
    return found


def worker_settings(*, commits: bool) -> Settings:
    """The settings of a worker; one that commits nothing forgets what effects write to, and says so.

    The operations of users run in this process too, and may look into its environment.

    Raises:
        CommandError: a variable holds what it must not.
    """
    for name in () if commits else EFFECT_URLS:
        if os.environ.pop(name, None):
            complain(f"{name} is for the role commit alone and is not used here: unset it")
    return settings()


def server() -> Server:
    """The server that the environment names.

    Raises:
        CommandError: the profile in use is bad.
    """
    try:
        return Server.from_env(os.environ)
    except NoConnection as error:
        raise CommandError(str(error), code=2) from error


async def pages(client: Client) -> Pages:
    """Where the UI shows the runs of a client's namespace."""
    ui = Settings.from_env(os.environ).ui_url
    return await pages_of(ui, client.service_client.config.target_host, client.namespace)


def temporal_cli() -> Path:
    """The Temporal CLI; the first time on a machine this may take minutes, and shows so.

    Raises:
        CommandError: there is none, and none can be had.
    """
    from forerun.workers.devserver import DevServerError, find_cli

    try:
        return find_cli(os.environ, sys.stderr)
    except DevServerError as error:
        raise CommandError(str(error)) from error


def modules(named: Sequence[str] | None) -> tuple[str, ...]:
    """The modules named, which may be in the current folder, as with `python -m`."""
    if named:
        sys.path.insert(0, str(Path.cwd()))
    return tuple(named or ())


def with_client(
    command: Callable[Concatenate[Client, P], Awaitable[int]], *args: P.args, **kwargs: P.kwargs
) -> int:
    """Run a command that needs nothing but a client."""
    settings(quiet=True)
    chosen = server()

    async def connected() -> int:
        return await command(await chosen.connect(), *args, **kwargs)

    return run(connected(), (NoConnection,))
