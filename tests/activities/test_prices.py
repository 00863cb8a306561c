"""The price book: exact where a price is known, None where not, and wary of its source."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from forerun.activities.price_lookup import CANCEL_BILLING, CancelPolicies
from forerun.activities.prices import BadPrices, PriceBook
from forerun.speculation.billing import CancelBilling
from forerun.speculation.pricing import Rates

AT = datetime(2026, 11, 21, tzinfo=UTC)
BOOK = PriceBook()


def figures(rates: Rates | None) -> tuple[str, ...]:
    """Input, output, cache read, cache write."""
    assert rates is not None
    return (
        str(rates.input_usd_per_mtok),
        str(rates.output_usd_per_mtok),
        str(rates.cache_read_usd_per_mtok),
        str(rates.cache_write_usd_per_mtok),
    )


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("sim-small", ("0.10", "0.50", "0.01", "0.10")),
        ("sim-mid", ("2", "10", "0.10", "2")),
        ("sim-large", ("4", "20", "0.20", "4")),
        ("sim-reasoning", ("2", "10", "0.10", "2")),
    ],
)
def test_the_stand_ins_models_have_prices(
    provider: str, model: str, expected: tuple[str, ...]
) -> None:
    """The same for both vendors, by the shipped table."""
    rates = BOOK.rates(provider, model, AT)

    assert figures(rates) == expected
    assert rates is not None
    assert rates.version.startswith("price_overrides.json@")
    assert rates.priced_at == "2026-11-21T00:00:00+00:00"
    assert rates.basis == "exact"


def test_a_published_price() -> None:
    """Separate rates, with the version of the library that gave them."""
    rates = BOOK.rates("anthropic", "claude-sonnet-5-5", AT)

    assert figures(rates) == ("2", "10", "0.1", "2.5")
    assert rates is not None
    assert rates.version.startswith("genai-prices/")


def test_prices_have_a_date() -> None:
    """The same model on two days."""
    before = BOOK.rates("openai", "o3", datetime(2025, 6, 1, tzinfo=UTC))
    after = BOOK.rates("openai", "o3", datetime(2025, 6, 20, tzinfo=UTC))

    assert figures(before)[:2] == ("10", "40")
    assert figures(after)[:2] == ("2", "8")


def test_a_time_without_zone_is_refused() -> None:
    """The library would take it for some instant or other."""
    with pytest.raises(ValueError, match="no time zone"):
        BOOK.rates("openai", "o3", datetime(2026, 11, 21))  # noqa: DTZ001


def test_a_long_prompt_is_dearer_throughout() -> None:
    """Above the threshold, and only above it, all tokens cost the tier's rate, output too."""
    base = BOOK.rates("openai", "gpt-6.1-sol", AT)

    assert BOOK.rates("openai", "gpt-6.1-sol", AT, input_tokens=272_000) == base
    long = BOOK.rates("openai", "gpt-6.1-sol", AT, input_tokens=272_001)
    assert figures(long) == ("4", "15", "0.2", "5")
    tariff = BOOK.tariff("openai", "gpt-6.1-sol", AT)
    assert tariff is not None
    assert [tariff.rates(length) for length in (0, 272_000, 272_001)] == [base, base, long]


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-5.9-ultra"),
        ("anthropic", "gpt-6.1-sol-of-another-house"),
        ("acme", "gpt-4o"),
        ("openai", "text-embedding-ada-002"),
        ("openai", ""),
    ],
)
def test_unknown_is_none(provider: str, model: str) -> None:
    """Neither 0 nor the price of something similar; a model without output price is unknown too."""
    assert BOOK.rates(provider, model, AT) is None


@pytest.mark.parametrize("tier", [None, "default", "standard"])
def test_the_standard_tier_is_exact(tier: str | None) -> None:
    """By all its names."""
    rates = BOOK.rates("openai", "gpt-6.1-sol", AT, service_tier=tier)

    assert rates == BOOK.rates("openai", "gpt-6.1-sol", AT)


def test_a_tier_with_a_price_of_its_own() -> None:
    """Flex costs half."""
    rates = BOOK.rates("openai", "gpt-6.1-sol", AT, service_tier="flex")

    assert figures(rates)[:2] == ("1", "5")
    assert rates is not None
    assert rates.basis == "exact"


@pytest.mark.parametrize(
    ("provider", "model", "tier"),
    [
        ("openai", "gpt-6.1-sol", "ultrafast"),
        ("openai", "gpt-6.1-sol", "scale"),
        ("anthropic", "claude-sonnet-5-5", "priority"),
    ],
)
def test_a_silent_fallback_is_not_exact(provider: str, model: str, tier: str) -> None:
    """The library answers with the standard rate; we say that it is an estimate."""
    rates = BOOK.rates(provider, model, AT, service_tier=tier)

    assert figures(rates) == figures(BOOK.rates(provider, model, AT))
    assert rates is not None
    assert rates.basis == "estimated"


def test_the_users_prices_win(tmp_path: Path) -> None:
    """Over the shipped table and over the library; the rest stays; the file is named."""
    path = tmp_path / "prices.json"
    path.write_text(
        """{"openai:sim-mid": {"input_usd_per_mtok": "1", "output_usd_per_mtok": "3"},
            "openai:gpt-6.1-sol": {"input_usd_per_mtok": "0", "output_usd_per_mtok": "0.5",
                                   "cache_read_usd_per_mtok": "0.25",
                                   "cache_write_usd_per_mtok": "0.75"}}"""
    )

    book = PriceBook(path)

    assert figures(book.rates("openai", "sim-mid", AT)) == ("1", "3", "1", "1")
    assert figures(book.rates("openai", "gpt-6.1-sol", AT)) == ("0", "0.5", "0.25", "0.75")
    assert book.rates("anthropic", "sim-mid", AT) == BOOK.rates("anthropic", "sim-mid", AT)
    rates = book.rates("openai", "sim-mid", AT)
    assert rates is not None
    assert rates.version.startswith("prices.json@")
    assert str(tmp_path) not in rates.version


GOOD = '"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"'


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"openai:x": {"input_usd_per_mtok": "1"}}', "openai:x/output_usd_per_mtok"),
        ('{"openai:x": {"input_usd_per_mtok": 1, "output_usd_per_mtok": "2"}}', "decimal string"),
        ('{"openai:x": {"input_usd_per_mtok": "-1", "output_usd_per_mtok": "2"}}', "less than 0"),
        ('{"openai:x": {"input_usd_per_mtok": "NaN", "output_usd_per_mtok": "2"}}', "finite"),
        (f'{{"openai:x": {{{GOOD}, "usd": "1"}}}}', "openai:x/usd"),
        (f'{{"x": {{{GOOD}}}}}', "'x'"),
        ("\xff", "JSON"),
    ],
)
def test_a_bad_price_file_is_named_with_key_and_fix(
    tmp_path: Path, content: str, named: str
) -> None:
    """One line, before anything is priced by it."""
    path = tmp_path / "prices.json"
    path.write_bytes(content.encode("latin-1"))

    with pytest.raises(BadPrices) as bad:
        PriceBook(path)

    message = str(bad.value)
    assert message.startswith("prices.json: ")
    assert named in message
    assert "write {" in message
    assert "\n" not in message


def test_a_price_file_that_is_not_there(tmp_path: Path) -> None:
    """Named with its path."""
    with pytest.raises(BadPrices, match="No such file"):
        PriceBook(tmp_path / "prices.json")


def test_what_is_billed_on_cancel_is_data() -> None:
    """Both vendors stop; who is not named is unknown, which counts as the whole output."""
    policies = CancelPolicies({"openai": CancelBilling.BILLS_FULL})

    assert CANCEL_BILLING == {"openai": CancelBilling.STOPS, "anthropic": CancelBilling.STOPS}
    assert policies.of("openai") is CancelBilling.BILLS_FULL
    assert policies.of("anthropic") is CancelBilling.STOPS
    assert policies.of("acme") is CancelBilling.UNKNOWN
    assert policies.whole_output("openai:gpt-x")
    assert not policies.whole_output("anthropic:claude-x")
    assert policies.whole_output("acme:x")


def test_rates_are_decimals() -> None:
    """Never floats."""
    rates = BOOK.rates("openai", "gpt-5-mini", AT)

    assert rates is not None
    assert all(isinstance(Decimal(figure), Decimal) for figure in figures(rates))
