"""The server's version and the namespace, and what both allow."""

from __future__ import annotations

import re

from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from forerun.workers.devserver.server import DYNAMIC_CONFIG
from forerun.workers.doctor.finding import Finding, fail, ok, warn

PUSHES_SINCE = (1, 32)
PRIORITIES_SINCE = (1, 31)
OPTIONS_CHANGE_SINCE = (1, 30)

FEW_DAYS = 3
UPGRADE = "upgrade the Temporal server to 1.32 or newer"
PUSHING = " ".join(f"--dynamic-config-value {it}" for it in DYNAMIC_CONFIG if "Command" in it)


async def look_at_server(client: Client, address: str) -> list[Finding]:
    """Its version, and what follows from that; only the version where the namespace is not there.

    Raises:
        RPCError: the server refuses to tell.
    """
    service = client.workflow_service
    version = (await service.get_system_info(GetSystemInfoRequest())).server_version
    at = f"Temporal {version or '(no version)'} at {address}, namespace {client.namespace}"
    try:
        namespace = await service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        create = f"temporal operator namespace create --namespace {client.namespace}"
        return [fail("server", f"{at}, which does not exist", "no run can start", create)]
    since = _numbers(version)
    return [ok("server", at), retention(namespace), cuts(since, namespace), priority(since)]


def retention(namespace: DescribeNamespaceResponse) -> Finding:
    """How long there is something to audit."""
    days = namespace.config.workflow_execution_retention_ttl.ToTimedelta().days
    what = f"histories are deleted {days} day{'s' * (days != 1)} after their runs have closed"
    keep = "forerun export --query 'ForerunWorkload IS NOT NULL' -o histories"
    if days >= FEW_DAYS:
        return ok("retention", what, f"before that, `{keep}` keeps them for audits")
    return warn("retention", what, "then nobody can audit them", keep)


def cuts(version: tuple[int, ...], namespace: DescribeNamespaceResponse) -> Finding:
    """How a cut reaches a running call."""
    slow = "a cut reaches its call with a heartbeat: up to 250 ms of tokens more"
    if version < PUSHES_SINCE:
        return warn("cuts", "this server cannot push a cancellation", slow, UPGRADE)
    if not namespace.namespace_info.capabilities.worker_commands:
        what = "pushing cancellations is off in this namespace"
        return warn("cuts", what, slow, f"start the server with {PUSHING}")
    return ok("cuts", "cancellations are pushed to workers", "a cut reaches its call at once")


def priority(version: tuple[int, ...]) -> Finding:
    """Whether speculation queues behind what is certain."""
    if version >= PRIORITIES_SINCE:
        return ok("priority", "tasks have priorities", "what is promoted overtakes other guesses")
    if version >= OPTIONS_CHANGE_SINCE:
        return warn(
            "priority",
            "this server knows priorities only with its new matcher",
            "a promoted call that is still queued may wait behind guesses",
            "start the server with --dynamic-config-value matching.useNewMatcher=true",
        )
    return warn(
        "priority",
        "this server cannot move a queued task",
        "a promoted call that is still queued waits behind guesses, and is not tried again",
        UPGRADE,
    )


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else ()
