"""What the environment says, read once and checked once: nothing else of forerun looks there.

A bad value is refused at start with one line that names the variable and the fix. API keys and
database passwords are never repeated, neither in such a line nor in a `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

EFFECT_URLS = ("FORERUN_OUTBOX_URL", "FORERUN_DRAFTS_URL")
"""What effects write to, passwords included: for workers with the role `commit` alone."""

LOG_FORMS = ("console", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(ValueError):
    """A variable of the environment holds what it must not: one line, with the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider's models are called; a `base_url` of None is the vendor's own address."""

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a forerun process but the address of Temporal (`connection`).

    `embeddings` and `judge` (`provider:model`) are who is asked whether two texts say the same.
    `metrics` is where workers answer Prometheus (`host:port`), `traces` the URL where they send
    OpenTelemetry's spans; None is nowhere.
    """

    openai: Endpoint
    anthropic: Endpoint
    outbox_url: str = field(repr=False)
    drafts_url: str = field(repr=False)
    http_allow: tuple[str, ...] = ()
    prices: Path | None = None
    embeddings: str | None = None
    judge: str | None = None
    ui_url: str | None = None
    metrics: str | None = None
    traces: str | None = None
    log: str = LOG_FORMS[0]
    log_level: str = "info"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The settings in `env`; a variable that is empty counts as not set.

        Raises:
            SettingsError: a value that cannot be used.
        """
        return cls(
            openai=_endpoint(env, "OPENAI"),
            anthropic=_endpoint(env, "ANTHROPIC"),
            outbox_url=env.get("FORERUN_OUTBOX_URL") or _default_database(env, "outbox"),
            drafts_url=env.get("FORERUN_DRAFTS_URL") or _default_database(env, "drafts"),
            http_allow=_words(env.get("FORERUN_HTTP_ALLOW", "")),
            prices=_file(env, "FORERUN_PRICES"),
            embeddings=env.get("FORERUN_EMBEDDINGS", "").strip() or None,
            judge=env.get("FORERUN_JUDGE", "").strip() or None,
            ui_url=_url(env, "FORERUN_UI_URL", "http://localhost:8233"),
            metrics=_listener(env, "FORERUN_METRICS"),
            traces=_url(env, "FORERUN_TRACES", "http://localhost:4318/v1/traces"),
            log=_one_of(env, "FORERUN_LOG", LOG_FORMS),
            log_level=_one_of(env, "FORERUN_LOG_LEVEL", LOG_LEVELS, otherwise="info"),
        )

    def with_standin(self, url: str, *, keep_real: bool) -> Self:
        """These settings with models answered by the stand-in at `url`.

        With `keep_real`, a provider that has a key keeps its own address.
        """
        openai = Endpoint(api_key=STANDIN_KEY, base_url=f"{url}/v1")
        anthropic = Endpoint(api_key=STANDIN_KEY, base_url=url)
        return replace(
            self,
            openai=self.openai if keep_real and self.openai.api_key else openai,
            anthropic=self.anthropic if keep_real and self.anthropic.api_key else anthropic,
        )


STANDIN_KEY = "stand-in"
"""The stand-in takes any key, but the adapters refuse to work without one."""


def _endpoint(env: Mapping[str, str], vendor: str) -> Endpoint:
    example = f"https://api.{vendor.lower()}.com" + ("/v1" if vendor == "OPENAI" else "")
    return Endpoint(
        api_key=_key(env, f"{vendor}_API_KEY"),
        base_url=_url(env, f"{vendor}_BASE_URL", example),
    )


def _key(env: Mapping[str, str], name: str) -> str | None:
    key = env.get(name, "").strip()
    if not key.isascii() or any(c.isspace() or not c.isprintable() for c in key):
        raise SettingsError(
            f"{name} holds a space, a line break or a character that no key has: "
            "copy the key again, or unset it"
        )
    return key or None


def _url(env: Mapping[str, str], name: str, example: str) -> str | None:
    url = env.get(name, "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        raise SettingsError(f"{name} is no http(s) URL: write {example}, or unset it") from None
    if parts.username is not None or parts.password is not None:
        raise SettingsError(f"{name} holds a user name or password: leave them out of the URL")
    if not sound:
        raise SettingsError(f"{name}={url!r:.80} is no http(s) URL: write {example}, or unset it")
    return url.rstrip("/")


def _listener(env: Mapping[str, str], name: str) -> str | None:
    """An address to listen at; the SDK takes no names of hosts."""
    address = env.get(name, "").strip().replace("localhost:", "127.0.0.1:")
    if not address:
        return None
    host, _, port = address.rpartition(":")
    try:
        ip_address(host.strip("[]"))
        sound = 0 < int(port) < 65536
    except ValueError:
        sound = False
    if not sound:
        raise SettingsError(
            f"{name}={address!r:.80} is no address: write 127.0.0.1:9464, or unset it"
        )
    return address


def _file(env: Mapping[str, str], name: str) -> Path | None:
    path = env.get(name, "")
    if path and not Path(path).is_file():
        raise SettingsError(f"{name}={path!r:.80} is no file: name a readable file, or unset it")
    return Path(path) if path else None


def _one_of(
    env: Mapping[str, str], name: str, allowed: tuple[str, ...], *, otherwise: str | None = None
) -> str:
    value = env.get(name, "").strip().lower()
    if not value:
        return otherwise or allowed[0]
    if value not in allowed:
        raise SettingsError(
            f"{name}={value!r:.80} is not allowed: write one of {', '.join(allowed)}"
        )
    return value


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _default_database(env: Mapping[str, str], name: str) -> str:
    """In the user's data folder; the XDG rules say to ignore a folder that is not absolute."""
    named = Path(env.get("XDG_DATA_HOME", ""))
    home = Path(env.get("HOME") or Path.home())
    folder = named if named.is_absolute() else home / ".local" / "share"
    return f"sqlite:///{folder / 'forerun' / name}.sqlite3"
