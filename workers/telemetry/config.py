"""From settings to what a process tells about itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporalio.runtime import Runtime

from forerun.workers.settings import Settings, SettingsError
from forerun.workers.telemetry.observer import Observer
from forerun.workers.telemetry.runtime import runtime

if TYPE_CHECKING:
    from forerun.workers.telemetry.traces import Traces


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """`metrics` is where Prometheus may scrape (`host:port`), `traces` where spans go; or nowhere."""

    metrics: str | None = None
    traces: Traces | None = None

    @classmethod
    def of(cls, settings: Settings) -> Telemetry:
        """What the settings ask for.

        Raises:
            SettingsError: traces are asked for, and forerun is installed without them.
        """
        return cls(metrics=settings.metrics, traces=_traces(settings.traces))

    @property
    def runtime(self) -> Runtime:
        """The runtime for clients and their workers.

        Raises:
            SettingsError: nobody can listen at `metrics`.
        """
        return runtime(self.metrics)

    @property
    def observer(self) -> Observer:
        """The interceptor for workers."""
        return Observer(self.traces)

    @asynccontextmanager
    async def around_worker(self) -> AsyncGenerator[None]:
        """What a worker has left to tell goes out before its process does."""
        try:
            yield
        finally:
            if self.traces:
                await self.traces.flush()


OFF = Telemetry()


def _traces(endpoint: str | None) -> Traces | None:
    if endpoint is None:
        return None
    try:
        from forerun.workers.telemetry.traces import Traces
    except ImportError as error:
        raise SettingsError(
            f"FORERUN_TRACES needs {error.name}: install forerun[otel], or unset it"
        ) from error
    return Traces.to(endpoint)
