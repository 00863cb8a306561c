"""Search attributes: which runs waste dollars, which wait for approval.

Which of them the namespace has is looked up once, by an activity, so that it is in history: upserting
an unregistered one fails the workflow task for ever, and so do some values, hence the clamps.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate
from temporalio.exceptions import ActivityError

from forerun.workflows.options import ERRAND_RETRY, ERRAND_TIMEOUT

with workflow.unsafe.imports_passed_through():
    from forerun.activities.namespace import Namespaces

WORKLOAD = SearchAttributeKey.for_keyword("ForerunWorkload")
AWAITING = SearchAttributeKey.for_keyword_list("ForerunAwaiting")
SPENT_USD = SearchAttributeKey.for_float("ForerunSpentUsd")
WASTED_USD = SearchAttributeKey.for_float("ForerunWastedUsd")
SAVED_SECONDS = SearchAttributeKey.for_float("ForerunSavedSeconds")

LARGEST_DOUBLE = 1e14
"""PostgreSQL visibility loses a run for good from 1e15 on."""
LONGEST_KEYWORD = 200
MOST_KEYWORDS = 50


class SearchAttributes:
    """The attributes of one run, as far as they are registered."""

    def __init__(self) -> None:
        self._registered: frozenset[str] = frozenset()
        self._awaiting: list[str] = []

    async def look_up(self, workload: str) -> None:
        """Ask which attributes exist; a run whose question fails goes on without them."""
        try:
            found = await workflow.execute_activity_method(
                Namespaces.registered_search_attributes,
                start_to_close_timeout=ERRAND_TIMEOUT,
                retry_policy=ERRAND_RETRY,
                summary="which search attributes exist",
            )
        except ActivityError as error:
            workflow.logger.warning("search_attributes.unknown", extra={"why": str(error)})
            return
        self._registered = frozenset(found)
        self._upsert([WORKLOAD.value_set(workload[:LONGEST_KEYWORD])])
        self._show_awaiting()

    def awaiting(self, intents: Collection[str]) -> None:
        """What waits for people; written only when it changes."""
        shown = [intent[:LONGEST_KEYWORD] for intent in list(intents)[:MOST_KEYWORDS]]
        if shown != self._awaiting:
            self._awaiting = shown
            self._show_awaiting(always=True)

    def close(self, *, spent: Decimal, wasted: Decimal, saved_seconds: float) -> None:
        """The totals, once they are final."""
        self._upsert(
            [
                SPENT_USD.value_set(_clamped(float(spent))),
                WASTED_USD.value_set(_clamped(float(wasted))),
                SAVED_SECONDS.value_set(_clamped(saved_seconds)),
            ]
        )

    def _show_awaiting(self, *, always: bool = False) -> None:
        if always or self._awaiting:
            self._upsert([AWAITING.value_set(self._awaiting)])

    def _upsert(self, updates: list[SearchAttributeUpdate[Any]]) -> None:
        known = [update for update in updates if update.key.name in self._registered]
        if known:
            # The SDK's overload for the deprecated untyped form leaves a part unknown.
            workflow.upsert_search_attributes(known)  # pyright: ignore[reportUnknownMemberType]


def _clamped(value: float) -> float:
    return max(-LARGEST_DOUBLE, min(value, LARGEST_DOUBLE))
