"""What the namespace of a run offers: looked up once, by an activity, so that it is in history."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest

SEARCH_ATTRIBUTES: Mapping[str, IndexedValueType.ValueType] = MappingProxyType(
    {
        "ForerunWorkload": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        "ForerunAwaiting": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
        "ForerunSpentUsd": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
        "ForerunWastedUsd": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
        "ForerunSavedSeconds": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    }
)
"""Those of design 5, with their types."""


class Namespaces:
    """Needs nothing but the client of its worker."""

    @activity.defn(name="registered_search_attributes")
    async def registered_search_attributes(self) -> list[str]:
        """The names of those of our search attributes that are there with their types, sorted.

        One of another type would fail the workflow task that sets it, for ever.
        """
        found = await activity.client().operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=activity.info().namespace)
        )
        there = found.custom_attributes
        return sorted(name for name, kind in SEARCH_ATTRIBUTES.items() if there.get(name) == kind)
