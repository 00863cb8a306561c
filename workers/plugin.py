"""What every client, worker and replayer of forerun's runs must have in common.

One plugin for all three, so that none can differ: a history written with one converter and replayed
with another would be read as something else.
"""

from __future__ import annotations

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin


def forerun_plugin() -> SimplePlugin:
    """For `Client.connect(plugins=...)`, whose workers then have it, and for `Replayer`."""
    return SimplePlugin("forerun", data_converter=pydantic_data_converter)
