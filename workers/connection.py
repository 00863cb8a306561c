"""The way to Temporal: `TEMPORAL_*` variables and TOML profiles, as the Temporal CLI reads them.

An address where nobody answers and one that refuses us are told apart: the first may come to life
and is worth waiting for, the second will not change its mind.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from forerun.workers.plugin import forerun_plugin
from forerun.workers.telemetry.config import OFF, Telemetry

ADDRESS = "localhost:7233"
RETRY_SECONDS = 0.5
REASON_LENGTH = 100


class NoConnection(Exception):
    """Temporal cannot be reached the way that is configured: one line, with the fix."""


class NobodyThere(NoConnection):
    """No server answers at the address. It may be there in a moment."""


def away(error: RPCError) -> bool:
    """Whether the server was not there, or went while it was asked: it is being restarted, perhaps.

    The SDK's core has no status of its own for the second.
    """
    broken_off = error.status is RPCStatusCode.UNKNOWN and error.message == "transport error"
    return broken_off or error.status is RPCStatusCode.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Server:
    """Where Temporal is, and what the client needs to be let in."""

    options: Mapping[str, Any]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Server:
        """The server that the profile in use names, `localhost:7233` if none does.

        Raises:
            NoConnection: the profile or the file that holds it cannot be used.
        """
        try:
            options = ClientConfig.load_client_connect_config(override_env_vars=dict(env))
        except RuntimeError as error:  # all that the SDK raises here
            raise NoConnection(
                f"the Temporal profile cannot be used: {_first_line(error)}; "
                "see TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and the other TEMPORAL_* variables"
            ) from error
        address = options.get("target_host", ADDRESS)
        if "://" in address:
            raise NoConnection(_no_address(address))
        return cls({**options, "target_host": address})

    @classmethod
    def at(cls, address: str) -> Server:
        """A server on this machine that needs no credentials."""
        return cls({"target_host": address})

    @property
    def address(self) -> str:
        """`host:port`."""
        return str(self.options["target_host"])

    @property
    def namespace(self) -> str:
        """The namespace in use."""
        return str(self.options.get("namespace", "default"))

    async def connect(self, telemetry: Telemetry = OFF) -> Client:
        """A client with forerun's plugin; its workers tell of themselves as `telemetry` says.

        Raises:
            NobodyThere: no server answers.
            NoConnection: one answers, and refuses.
            SettingsError: nobody can listen where metrics are asked for.
        """
        runtime = telemetry.runtime
        try:
            return await Client.connect(
                **self.options, plugins=[forerun_plugin(telemetry=telemetry)], runtime=runtime
            )
        except RuntimeError as error:  # all that the SDK raises for a refused connection
            raise NobodyThere(
                f"no Temporal server answers at {self.address} ({_reason(error)}): "
                "start one with `forerun up`, or name another with TEMPORAL_ADDRESS"
            ) from error
        except RPCError as error:
            if away(error):
                raise NobodyThere(f"the Temporal server at {self.address} is not ready") from error
            raise NoConnection(f"Temporal at {self.address} refuses: {error.message}") from error
        except ValueError as error:
            raise NoConnection(_no_address(self.address)) from error

    async def wait(self, waiting: Callable[[], None], telemetry: Telemetry = OFF) -> Client:
        """A client, as soon as the server answers; `waiting` is called once if that takes time.

        Raises:
            NoConnection: the server answers, and refuses.
        """
        told = False
        while True:
            try:
                return await self.connect(telemetry)
            except NobodyThere:
                if not told:
                    waiting()
                told = True
                await asyncio.sleep(RETRY_SECONDS)


def _first_line(error: Exception) -> str:
    """The rest may quote the file, keys included."""
    return str(error).partition("\n")[0]


def _reason(error: Exception) -> str:
    """What the system said, somewhere inside what the SDK says."""
    found = re.search(r'(?:message|error): "([^"]*)"', str(error))
    return found[1] if found else str(error)[:REASON_LENGTH]


def _no_address(address: str) -> str:
    return f"{address!r:.80} is no address: write host:port into TEMPORAL_ADDRESS"
