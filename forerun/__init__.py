"""forerun: durable, cost-aware speculative execution for LLM agents on Temporal.

The public face. Names are looked up when they are first used: an activity worker need not import
the workflows, nor a workflow the workers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forerun.activities.registration import Arguments, Commit, operation
    from forerun.activities.stageable import Stage, discards, lists_stages, stages
    from forerun.speculation.disclosure import ALLOW, BLOCK, DEFER, redact
    from forerun.speculation.effect_class import Approval, EffectClass
    from forerun.workers.own_worker import SpeculationPlugin
    from forerun.workflows.speculation import Speculation
    from forerun.workflows.steps import Step

__version__ = "0.1.0"

__all__ = [
    "ALLOW",
    "BLOCK",
    "DEFER",
    "Approval",
    "Arguments",
    "Commit",
    "EffectClass",
    "Speculation",
    "SpeculationPlugin",
    "Stage",
    "Step",
    "discards",
    "lists_stages",
    "operation",
    "redact",
    "stages",
]

_HOMES = {
    "ALLOW": "forerun.speculation.disclosure",
    "BLOCK": "forerun.speculation.disclosure",
    "DEFER": "forerun.speculation.disclosure",
    "Approval": "forerun.speculation.effect_class",
    "Arguments": "forerun.activities.registration",
    "Commit": "forerun.activities.registration",
    "EffectClass": "forerun.speculation.effect_class",
    "Speculation": "forerun.workflows.speculation",
    "SpeculationPlugin": "forerun.workers.own_worker",
    "Stage": "forerun.activities.stageable",
    "Step": "forerun.workflows.steps",
    "discards": "forerun.activities.stageable",
    "lists_stages": "forerun.activities.stageable",
    "operation": "forerun.activities.registration",
    "redact": "forerun.speculation.disclosure",
    "stages": "forerun.activities.stageable",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'forerun' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
