"""The price book: the user's overrides, then the shipped ones, then genai-prices.

The law: a price that nobody knows is None, never 0 and never a guess at a similar model.

The surprises are genai-prices'. It takes a time without zone for UTC and no time for now, so the
time is an argument here and must be aware. It prices a service tier that it does not know at the
standard rate without a word, so any other tier is `estimated` unless its rates differ. And some
models cost more, for all of their tokens, above a prompt length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import genai_prices
from genai_prices.types import ModelPrice, TieredPrices
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from typing_extensions import override

from forerun.activities.price_lookup import Prices
from forerun.speculation.pricing import Rates, Tariff
from forerun.speculation.quantities import ZERO, number

STANDARD_TIERS = frozenset({None, "default", "standard"})
PRICED_TIERS = frozenset({"flex", "priority", "fast"})
"""Tiers that genai-prices knows for some models."""

_VERSION = f"genai-prices/{genai_prices.__version__}"
_LOOKS_LIKE = (
    '{"openai:gpt-x": {"input_usd_per_mtok": "2.50", "output_usd_per_mtok": "10"}}, '
    "in dollars per million tokens"
)


class BadPrices(ValueError):
    """A price file that cannot be used; one line that names the file, the key and the fix."""


class PriceBook(Prices):
    """Rates by provider and model. `overrides` is the path of the user's JSON file.

    The file maps `provider:model` to `input_usd_per_mtok`, `output_usd_per_mtok` and, optionally,
    `cache_read_usd_per_mtok` and `cache_write_usd_per_mtok` (default: as input), decimal strings
    in dollars per million tokens.

    Raises:
        BadPrices: the file cannot be read or understood.
    """

    def __init__(self, overrides: Path | None = None) -> None:
        shipped = (files("forerun.activities") / "price_overrides.json").read_bytes()
        self._overrides = _read("price_overrides.json", shipped)
        if overrides is not None:
            self._overrides |= _read(overrides.name, _content(overrides))

    @override
    def tariff(self, provider: str, model: str, at: datetime) -> Tariff | None:
        """See `Prices.tariff`.

        Raises:
            ValueError: `at` has no time zone.
        """
        if at.tzinfo is None:
            raise ValueError(f"{at!r} has no time zone: prices change at an instant")
        own = self._overrides.get(f"{provider}:{model}")
        return _published(provider, model, at, None) if own is None else own.tariff(at)

    @override
    def rates(
        self,
        provider: str,
        model: str,
        at: datetime,
        *,
        input_tokens: int = 0,
        service_tier: str | None = None,
    ) -> Rates | None:
        """See `Prices.rates`.

        Raises:
            ValueError: `at` has no time zone.
        """
        tariff = self.tariff(provider, model, at)
        if tariff is None:
            return None
        standard = tariff.rates(input_tokens)
        if service_tier in STANDARD_TIERS or f"{provider}:{model}" in self._overrides:
            return standard
        priced = service_tier in PRICED_TIERS
        special = _published(provider, model, at, service_tier) if priced else None
        if special is None or special.rates(input_tokens) == standard:
            return replace(standard, basis="estimated")
        return special.rates(input_tokens)


def _published(provider: str, model: str, at: datetime, tier: str | None) -> Tariff | None:
    price = _model_price(provider, model, at, tier)
    base = _at_length(price, 0, at) if price else None
    if price is None or base is None:
        return None
    prices = (price.input_mtok, price.output_mtok, price.cache_read_mtok, price.cache_write_mtok)
    tiered = [one for one in prices if isinstance(one, TieredPrices)]
    lengths = sorted({tier.start for one in tiered for tier in one.tiers})
    dearer = [(length, _at_length(price, length + 1, at)) for length in lengths]
    return Tariff(base=base, above=tuple((length, r) for length, r in dearer if r))


def _model_price(provider: str, model: str, at: datetime, tier: str | None) -> ModelPrice | None:
    try:
        return genai_prices.calc_price(
            genai_prices.Usage(input_tokens=0, output_tokens=0),
            model,
            provider_id=provider,
            genai_request_timestamp=at,
            price_context={"service_tier": tier} if tier else None,
        ).model_price
    except (LookupError, ValueError):
        return None


def _at_length(price: ModelPrice, input_tokens: int, at: datetime) -> Rates | None:
    entering = _rate(price.input_mtok, input_tokens)
    leaving = _rate(price.output_mtok, input_tokens)
    if entering is None or leaving is None:
        return None
    read = _rate(price.cache_read_mtok, input_tokens)
    write = _rate(price.cache_write_mtok, input_tokens)
    return _rates(entering, leaving, read, write, _VERSION, at)


def _rate(price: Decimal | TieredPrices | None, input_tokens: int) -> Decimal | None:
    """The rate of the tier that a prompt of this length falls in: it holds for all its tokens."""
    if not isinstance(price, TieredPrices):
        return price
    reached = [tier.price for tier in price.tiers if input_tokens > tier.start]
    return reached[-1] if reached else price.base


def _rates(
    entering: Decimal,
    leaving: Decimal,
    cache_read: Decimal | None,
    cache_write: Decimal | None,
    version: str,
    at: datetime,
) -> Rates:
    """Where no rate is given for the cache, what goes through it costs as much as other input."""
    return Rates(
        input_usd_per_mtok=entering,
        output_usd_per_mtok=leaving,
        cache_read_usd_per_mtok=entering if cache_read is None else cache_read,
        cache_write_usd_per_mtok=entering if cache_write is None else cache_write,
        version=version,
        priced_at=at.isoformat(),
    )


def _dollars(value: Any) -> Decimal:
    if not isinstance(value, str):
        raise ValueError("not a decimal string")
    amount = number(value)
    if amount < ZERO:
        raise ValueError("less than 0")
    return amount


_Usd = Annotated[Decimal, BeforeValidator(_dollars)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    input_usd_per_mtok: _Usd
    output_usd_per_mtok: _Usd
    cache_read_usd_per_mtok: _Usd | None = None
    cache_write_usd_per_mtok: _Usd | None = None


_FILE = TypeAdapter(dict[str, _Entry])


@dataclass(frozen=True, slots=True)
class _Override:
    entry: _Entry
    version: str

    def tariff(self, at: datetime) -> Tariff:
        entry = self.entry
        base = _rates(
            entry.input_usd_per_mtok,
            entry.output_usd_per_mtok,
            entry.cache_read_usd_per_mtok,
            entry.cache_write_usd_per_mtok,
            self.version,
            at,
        )
        return Tariff(base=base)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadPrices(f"{path}: {error.strerror}: name a readable JSON file") from error


def _read(name: str, content: bytes) -> dict[str, _Override]:
    """The entries of a price file; their version names the file and its content."""
    try:
        entries: Mapping[str, _Entry] = _FILE.validate_json(content)
    except ValidationError as error:
        raise BadPrices(f"{name}: {_first(error)}") from error
    for key in entries:
        provider, _, model = key.partition(":")
        if not (provider and model):
            raise BadPrices(f"{name}: {key!r}: not provider:model; write {_LOOKS_LIKE}")
    version = f"{name}@{hashlib.sha256(content).hexdigest()[:12]}"
    return {key: _Override(entry, version) for key, entry in entries.items()}


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    problem = first["msg"].removeprefix("Value error, ")
    path = "/".join(str(part) for part in first["loc"])
    return f"{path}: {problem}; write {_LOOKS_LIKE}" if path else f"{problem}; write {_LOOKS_LIKE}"
