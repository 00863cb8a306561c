"""forerun: durable, cost-aware speculative execution for LLM agents on Temporal.

The public face. Names are looked up when they are first used: an activity worker need not import
the workflows, nor a workflow the workers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forerun.activities.registration import Arguments, Commit, operation
    from forerun.speculation.effect_class import Approval, EffectClass
    from forerun.workers.own_worker import SpeculationPlugin
    from forerun.workflows.speculation import Speculation
    from forerun.workflows.steps import Step

__version__ = "0.1.0"

__all__ = [
    "Approval",
    "Arguments",
    "Commit",
    "EffectClass",
    "Speculation",
    "SpeculationPlugin",
    "Step",
    "operation",
]

_HOMES = {
    "Approval": "forerun.speculation.effect_class",
    "Arguments": "forerun.activities.registration",
    "Commit": "forerun.activities.registration",
    "EffectClass": "forerun.speculation.effect_class",
    "Speculation": "forerun.workflows.speculation",
    "SpeculationPlugin": "forerun.workers.own_worker",
    "Step": "forerun.workflows.steps",
    "operation": "forerun.activities.registration",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'forerun' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
