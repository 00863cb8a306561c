"""The environment is read once, every bad value is named with its fix, and no secret is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.workers.settings import Settings, SettingsError

SECRET = "sk-very-secret"


def test_an_empty_environment_is_enough() -> None:
    """Every variable is optional, and one that is set to nothing counts as not set."""
    empty = Settings.from_env({"HOME": "/home/ada", "OPENAI_BASE_URL": "", "FORERUN_LOG": ""})

    assert empty == Settings.from_env({"HOME": "/home/ada"})
    assert (empty.log, empty.log_level, empty.http_allow) == ("console", "info", ())
    assert empty.openai.api_key is None


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({}, "sqlite:////home/ada/.local/share/forerun/outbox.sqlite3"),
        ({"XDG_DATA_HOME": "/data"}, "sqlite:////data/forerun/outbox.sqlite3"),
        ({"XDG_DATA_HOME": "data"}, "sqlite:////home/ada/.local/share/forerun/outbox.sqlite3"),
        ({"FORERUN_OUTBOX_URL": "postgresql://db/x"}, "postgresql://db/x"),
    ],
)
def test_effects_are_in_the_users_data_folder_unless_named(env: dict[str, str], url: str) -> None:
    """A relative XDG folder is ignored, as the XDG rules demand; drafts have their own database."""
    drafts = {name.replace("OUTBOX", "DRAFTS"): value for name, value in env.items()}
    assert Settings.from_env({"HOME": "/home/ada", **env}).outbox_url == url
    found = Settings.from_env({"HOME": "/home/ada", **drafts}).drafts_url
    assert found == url.replace("outbox", "drafts")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_BASE_URL", "localhost:8089"),
        ("OPENAI_BASE_URL", "https://host:port/v1"),
        ("ANTHROPIC_BASE_URL", "https://"),
        ("ANTHROPIC_BASE_URL", "https://[::1"),
        ("OPENAI_BASE_URL", f"https://me:{SECRET}@host/v1"),
        ("OPENAI_API_KEY", f"{SECRET} {SECRET}"),
        ("ANTHROPIC_API_KEY", f"{SECRET}\nx"),
        ("FORERUN_PRICES", "/nowhere/prices.json"),
        ("FORERUN_LOG", "xml"),
        ("FORERUN_LOG_LEVEL", "loud"),
        ("FORERUN_UI_URL", "8233"),
    ],
)
def test_a_bad_value_is_one_line_with_the_variable_and_the_fix(name: str, value: str) -> None:
    """And without the secrets that the value may hold."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"HOME": "/", name: value})

    message = str(caught.value)
    assert message.startswith(name)
    assert ": " in message
    assert "\n" not in message
    assert SECRET not in message


@given(st.text(min_size=1).filter(lambda key: key.strip()))
def test_a_key_is_taken_or_refused_but_never_repeated(key: str) -> None:
    """Whatever it is made of."""
    marked = f"{SECRET}{key}"
    try:
        settings = Settings.from_env({"HOME": "/", "OPENAI_API_KEY": marked})
        shown = repr(settings)
    except SettingsError as error:
        settings, shown = None, str(error)

    assert settings is None or settings.openai.api_key == marked.strip()
    assert SECRET not in shown


def test_a_database_password_is_not_shown() -> None:
    """Effects may be on a server that asks for one."""
    for name in ("FORERUN_OUTBOX_URL", "FORERUN_DRAFTS_URL"):
        env = {"HOME": "/", name: f"postgresql://me:{SECRET}@db/x"}

        assert SECRET not in repr(Settings.from_env(env))


def test_the_stand_in_replaces_the_providers_that_have_no_key() -> None:
    """With `keep_real` a provider with a key keeps its own address; without it none does."""
    settings = Settings.from_env({"HOME": "/", "OPENAI_API_KEY": SECRET})

    mixed = settings.with_standin("http://127.0.0.1:8089", keep_real=True)
    alone = settings.with_standin("http://127.0.0.1:8089", keep_real=False)

    assert (mixed.openai.api_key, mixed.openai.base_url) == (SECRET, None)
    assert mixed.anthropic.base_url == "http://127.0.0.1:8089"
    assert alone.openai.base_url == "http://127.0.0.1:8089/v1"
    assert alone.openai.api_key != SECRET
