"""From settings to the parts of a worker: providers, prices and operations.

Everything that can be wrong with a setting shows here, before any server is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from forerun.activities.effects.drafts import Drafts
from forerun.activities.effects.http_post import HttpPost
from forerun.activities.effects.outbox import Outbox
from forerun.activities.equivalence import EquivalenceChecks, Judge
from forerun.activities.http_get import HttpGet
from forerun.activities.model_call import ModelCalls
from forerun.activities.price_lookup import CancelPolicies
from forerun.activities.prices import BadPrices, PriceBook
from forerun.activities.provider import Provider
from forerun.activities.providers import anthropic, openai, openai_embeddings
from forerun.activities.registry import Registry
from forerun.activities.similarity import Similarity
from forerun.workers.roles import Parts
from forerun.workers.settings import Settings, SettingsError

BUILT_IN = "forerun.activities.builtin_tools"


def assemble(settings: Settings, operations: Iterable[str] = ()) -> Parts:
    """The parts of a worker that knows the built-in operations and those of the named modules.

    Raises:
        SettingsError: a setting that cannot be used.
        RegistrationError: a module that cannot be imported or declares its operations wrongly.
    """
    prices, cancel_billing = _prices(settings), CancelPolicies()
    providers = _providers(settings)
    return Parts(
        registry=Registry.of(BUILT_IN, *_http(settings), *_databases(settings), *operations),
        prices=prices,
        cancel_billing=cancel_billing,
        model_calls=ModelCalls(providers=providers, prices=prices, cancel_billing=cancel_billing),
        equivalence_checks=EquivalenceChecks(
            prices=prices,
            similarity=_similarity(settings),
            judge=_judge(settings, providers),
            cancel_billing=cancel_billing,
        ),
    )


def prepare_effects(settings: Settings) -> None:
    """Make the folders of the effects' databases, which the role `commit` needs.

    Raises:
        SettingsError: one cannot be made.
    """
    for variable, text in _urls(settings).items():
        url = make_url(text)
        if url.get_backend_name() != "sqlite":
            continue
        try:
            Path(url.database or "").absolute().parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"no database can be at {url.database} ({error.strerror}): "
                f"name another place with {variable}"
            ) from error


def _providers(settings: Settings) -> dict[str, Provider]:
    ours, theirs = settings.openai, settings.anthropic
    return {
        "openai": openai.OpenAIProvider(
            api_key=ours.api_key, base_url=ours.base_url or openai.BASE_URL
        ),
        "anthropic": anthropic.AnthropicProvider(
            api_key=theirs.api_key, base_url=theirs.base_url or anthropic.BASE_URL
        ),
    }


def _similarity(settings: Settings) -> Similarity | None:
    if settings.embeddings is None:
        return None
    provider, _, model = settings.embeddings.partition(":")
    if provider != "openai" or not model:
        raise SettingsError(
            f"FORERUN_EMBEDDINGS={settings.embeddings!r:.80} names no embedder: "
            f"write openai:{openai_embeddings.MODEL}, or unset it"
        )
    return openai_embeddings.OpenAIEmbeddings(
        api_key=settings.openai.api_key,
        base_url=settings.openai.base_url or openai.BASE_URL,
        model=model,
    )


def _judge(settings: Settings, providers: Mapping[str, Provider]) -> Judge | None:
    if settings.judge is None:
        return None
    provider, _, model = settings.judge.partition(":")
    if provider not in providers or not model:
        raise SettingsError(
            f"FORERUN_JUDGE={settings.judge!r:.80} names no model: "
            f"write one of {', '.join(f'{name}:MODEL' for name in providers)}, or unset it"
        )
    return Judge(operation=settings.judge, provider=providers[provider])


def _prices(settings: Settings) -> PriceBook:
    try:
        return PriceBook(settings.prices)
    except BadPrices as error:
        raise SettingsError(f"FORERUN_PRICES: {error}") from error


def _http(settings: Settings) -> tuple[HttpGet, HttpPost]:
    try:
        return HttpGet(settings.http_allow), HttpPost(settings.http_allow)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _urls(settings: Settings) -> dict[str, str]:
    return {
        "FORERUN_OUTBOX_URL": settings.outbox_url,
        "FORERUN_DRAFTS_URL": settings.drafts_url,
    }


def _databases(settings: Settings) -> list[Outbox | Drafts]:
    found: list[Outbox | Drafts] = []
    for (variable, url), kind in zip(_urls(settings).items(), (Outbox, Drafts), strict=True):
        try:
            found.append(kind(url))
        except (ValueError, ArgumentError) as error:
            raise SettingsError(f"{variable}: {error}") from error
    return found
