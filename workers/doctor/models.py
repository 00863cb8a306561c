"""Models: whether they have a price, how old the prices are, and whether there is a key.

Looked at are this process's settings, and no provider is asked anything: a question may cost money.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import StartDateConstraint

from forerun.activities.prices import BadPrices, PriceBook
from forerun.speculation.pricing import Rates
from forerun.speculation.quantities import text
from forerun.workers import demo
from forerun.workers.doctor.finding import Finding, fail, ok, warn
from forerun.workers.settings import Endpoint, Settings

OLD_DAYS = 90
OVERRIDE = (
    'put {"%s": {"input_usd_per_mtok": "...", "output_usd_per_mtok": "..."}} into a file '
    "and name it with FORERUN_PRICES"
)


def look_at_models(settings: Settings, named: Iterable[str], now: datetime) -> list[Finding]:
    """Prices and keys: of the models that are `named`, of the judge, and of the example."""
    endpoints = {"openai": settings.openai, "anthropic": settings.anthropic}
    keys = [key(provider, endpoint) for provider, endpoint in endpoints.items()]
    try:
        book = PriceBook(settings.prices)
    except BadPrices as error:
        bad = fail("prices", f"FORERUN_PRICES: {error}", "no worker starts", "mend the file")
        return [bad, *keys]
    judge = [settings.judge] if settings.judge else []
    models = dict.fromkeys([*named, *judge, *example_models()])
    found = [
        price(model, _rates(book, model, now), served=model.partition(":")[0] in endpoints)
        for model in models
    ]
    return [age(newest_change(now.date()), now.date()), *found, *keys]


def age(newest: date, today: date) -> Finding:
    """How old the price table is, as far as its newest price tells."""
    days = (today - newest).days
    what = f"genai-prices {genai_prices.__version__}, newest price of {newest} ({days} days ago)"
    if days <= OLD_DAYS:
        return ok("prices", what)
    consequence = "newer models are unpriced and never speculated on, others may cost more"
    return warn("prices", what, consequence, "pip install --upgrade genai-prices")


def price(model: str, rates: Rates | None, *, served: bool) -> Finding:
    """Whether bets on calls of `model` can be judged."""
    subject = f"model {model}"
    if not served:
        fix = "write openai:... or anthropic:..."
        return fail(subject, "no such provider", "its calls fail", fix)
    if rates is None:
        return warn(
            subject,
            "its price is unknown",
            "its bets are held, and its calls cost unknown dollars",
            OVERRIDE % model,
        )
    return ok(
        subject,
        f"${text(rates.input_usd_per_mtok)} in, ${text(rates.output_usd_per_mtok)} out per million "
        f"tokens ({rates.version})",
    )


def key(provider: str, endpoint: Endpoint) -> Finding:
    """Whether there is a key, and where it would be sent: never the key, nor a part of it."""
    variable = f"{provider.upper()}_API_KEY"
    if not endpoint.api_key:
        return warn(
            f"key {provider}",
            f"{variable} is not set here",
            f"{provider}:* fails on a worker with this environment; `forerun up` simulates it",
            f"export {variable}=...",
        )
    host = urlsplit(endpoint.base_url).netloc if endpoint.base_url else "the vendor"
    return ok(f"key {provider}", f"{variable} is set", f"{provider}:* is called at {host}")


def newest_change(today: date) -> date:
    """The day of the newest price in the table; prices of days to come are announcements."""
    return max(day for day in _days() if day <= today)


def example_models() -> Iterator[str]:
    """The models of the example, guesses included."""
    nodes: dict[str, Any] = json.loads(demo.SPEC.read_text())["nodes"]
    for node in nodes.values():
        for asked in (node, *node.get("guess", ())):
            if "model" in asked:
                yield asked["model"]


def _days() -> Iterator[date]:
    for provider in get_snapshot().providers:
        for model in provider.models:
            for dated in model.prices if isinstance(model.prices, list) else ():
                if isinstance(dated.constraint, StartDateConstraint):
                    yield dated.constraint.start_date


def _rates(book: PriceBook, model: str, now: datetime) -> Rates | None:
    provider, _, name = model.partition(":")
    return book.rates(provider, name, now)
