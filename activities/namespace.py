"""What the namespace of a run offers: looked up once, by an activity, so that it is in history."""

from __future__ import annotations

from temporalio import activity
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest


class Namespaces:
    """Needs nothing but the client of its worker."""

    @activity.defn(name="registered_search_attributes")
    async def registered_search_attributes(self) -> list[str]:
        """The names of the custom search attributes of this namespace, sorted."""
        found = await activity.client().operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=activity.info().namespace)
        )
        return sorted(found.custom_attributes)
