"""The search attributes of runs: are they there, and of the right type? And how they get there.

A run looks once which names are registered, and writes to those. So one that is missing costs only
comfort, and one of another type costs the run: its workflow task fails for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from forerun.activities.namespace import SEARCH_ATTRIBUTES
from forerun.workers.devserver.readiness import TYPE_NAMES
from forerun.workers.doctor.finding import Finding, fail, ok, warn

SUBJECT = "search attributes"
FIX = "forerun doctor --fix"
UNFOUND = "runs cannot be found by what they cost, or wait for"

Types = Mapping[str, IndexedValueType.ValueType]


async def look_at_attributes(client: Client, *, fix: bool) -> list[Finding]:
    """Which are registered; with `fix`, what is missing is registered first.

    Raises:
        RPCError: the server refuses to tell.
    """
    there = await _registered(client)
    missing = {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in there}
    if not (fix and missing):
        return [attributes(there)]
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    except RPCError as error:
        what = f"{', '.join(missing)} cannot be registered: {error.message}"
        return [fail(SUBJECT, what, UNFOUND, _command(missing))]
    return [attributes(await _registered(client))]


def attributes(there: Types) -> Finding:
    """What follows from those that are registered."""
    wrong = {name: there[name] for name in SEARCH_ATTRIBUTES if not _fits(name, there)}
    if wrong:
        name, kind = next(iter(wrong.items()))
        return fail(
            SUBJECT,
            f"{name} is a {_type(kind)} here, and must be a {_type(SEARCH_ATTRIBUTES[name])}",
            "runs go without it: to write it would hang them",
            f"temporal operator search-attribute remove --yes --name {name} && {FIX}",
        )
    missing = [name for name in SEARCH_ATTRIBUTES if name not in there]
    if missing:
        what = f"{', '.join(missing)} not registered"
        return warn(SUBJECT, what, UNFOUND, FIX)
    return ok(SUBJECT, f"all {len(SEARCH_ATTRIBUTES)} are registered")


async def _registered(client: Client) -> Types:
    found = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return found.custom_attributes


def _fits(name: str, there: Types) -> bool:
    return there.get(name, SEARCH_ATTRIBUTES[name]) == SEARCH_ATTRIBUTES[name]


def _type(kind: IndexedValueType.ValueType) -> str:
    return TYPE_NAMES.get(kind) or IndexedValueType.Name(kind).removeprefix("INDEXED_VALUE_TYPE_")


def _command(missing: Types) -> str:
    """What an operator may do who has the rights that we lack: a command takes one type."""
    by_type: dict[str, list[str]] = {}
    for name, kind in missing.items():
        by_type.setdefault(_type(kind), []).append(f"--name {name}")
    return " && ".join(
        f"temporal operator search-attribute create --type {kind} {' '.join(names)}"
        for kind, names in by_type.items()
    )
