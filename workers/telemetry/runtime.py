"""The SDK's runtime: what its core logs goes where ours goes, and metrics to whoever scrapes them."""

from __future__ import annotations

import logging
from functools import cache

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from forerun.activities.metrics import HISTOGRAMS
from forerun.workers.settings import SettingsError


@cache
def runtime(metrics: str | None = None) -> Runtime:
    """One per process: each has threads of its own. `metrics` is where to answer GET /metrics.

    The interval of the worker heartbeat stays as it is: without it no cancellation is pushed.

    Raises:
        SettingsError: nobody can listen at `metrics`.
    """
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
    )
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")
    telemetry = TelemetryConfig(
        logging=LoggingConfig(levels, forwarding),
        metrics=_prometheus(metrics) if metrics else None,
        attach_service_name=False,  # it would be the core's own, on our numbers too
    )
    try:
        return Runtime(telemetry=telemetry)
    except ValueError as error:
        raise SettingsError(
            f"FORERUN_METRICS: nobody can listen at {metrics} ({error}): choose another port"
        ) from error


def _prometheus(address: str) -> PrometheusConfig:
    """The SDK's own metrics keep the names that Temporal's dashboards know, so no suffixes."""
    return PrometheusConfig(
        bind_address=address,
        durations_as_seconds=True,
        histogram_bucket_overrides={it.name: it.buckets for it in HISTOGRAMS},
    )
