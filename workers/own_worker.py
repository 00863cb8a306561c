"""The plugin for a worker of a user's own, whose workflows use `Speculation`.

    client = await Client.connect("localhost:7233", plugins=[SpeculationPlugin()])
    worker = Worker(client, task_queue="mine", workflows=[SupportTriage])

Such a worker makes the decisions of its workflows. Their calls and effects go to the queues of
`forerun worker --roles call,speculative,commit`, which holds the keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from temporalio.plugin import SimplePlugin

from forerun.workers.assembly import assemble
from forerun.workers.clean_exit import leave_in_order
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import beside_workflows
from forerun.workers.settings import Settings
from forerun.workers.telemetry.config import Telemetry


def SpeculationPlugin(
    operations: Iterable[str] = (), env: Mapping[str, str] | None = None
) -> SimplePlugin:
    """The plugin, for a client whose workers run workflows that speculate.

    `operations` are the modules that register operations, as for `forerun worker`. Prices come from
    the package, or from the file that FORERUN_PRICES names.

    Raises:
        SettingsError: a setting that cannot be used.
        RegistrationError: a module that cannot be imported or declares its operations wrongly.
    """
    leave_in_order()
    settings = Settings.from_env(os.environ if env is None else env)
    activities = beside_workflows(assemble(settings, operations))
    return forerun_plugin(activities, Telemetry.of(settings))
