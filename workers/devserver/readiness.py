"""When is a dev server usable? When a query over every search attribute of forerun's is answered.

One visibility query proves the frontend, the namespace and the attributes at once; "the port is
open" and "the namespace is described" are both true some time before.
"""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from forerun.activities.namespace import SEARCH_ATTRIBUTES
from forerun.workers.devserver.failure import DevServerError

NAMESPACE = "default"
POLL_SECONDS = 0.05

TYPE_NAMES = {
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD: "Keyword",
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST: "KeywordList",
    IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE: "Double",
}


async def until_usable(address: str) -> None:
    """Return once workflows can be started and found at `address`. The caller sets the deadline.

    Raises:
        DevServerError: the database has no room for the search attributes.
    """
    client = await _connected(address)
    while not await _queryable(client):
        await _register_missing(client)
        await asyncio.sleep(POLL_SECONDS)


async def _connected(address: str) -> Client:
    while True:
        try:
            return await Client.connect(address)
        except RuntimeError:  # all that the client raises for a refused connection
            await asyncio.sleep(POLL_SECONDS)


async def _queryable(client: Client) -> bool:
    query = " OR ".join(f"{name} IS NOT NULL" for name in SEARCH_ATTRIBUTES)
    try:
        await client.count_workflows(query)
    except RPCError:
        return False
    return True


async def _register_missing(client: Client) -> None:
    """Register what an older database lacks: `--search-attribute` only adds to a new namespace."""
    try:
        await _register(client)
    except RPCError as error:
        # Three Doubles are all there is room for, so a database may have spent them on its own.
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            raise DevServerError(
                f"this database cannot hold forerun's search attributes ({error.message}): "
                "choose another one with --db"
            ) from error


async def _register(client: Client) -> None:
    operator = client.operator_service
    listed = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=NAMESPACE))
    missing = {k: v for k, v in SEARCH_ATTRIBUTES.items() if k not in listed.custom_attributes}
    if missing:
        await operator.add_search_attributes(
            AddSearchAttributesRequest(namespace=NAMESPACE, search_attributes=missing)
        )
