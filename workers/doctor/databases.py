"""The databases of effects: can the role `commit` write there? Looked at without making anything."""

from __future__ import annotations

import os
from errno import EACCES
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from forerun.activities.effects.drafts import DRAFTS, Drafts
from forerun.activities.effects.outbox import OUTBOX, Outbox
from forerun.workers.doctor.finding import Finding, fail, ok
from forerun.workers.settings import Settings

CONNECT_SECONDS = 5
WITHOUT = "approved effects fail on a worker with this environment"


def look_at_databases(settings: Settings) -> list[Finding]:
    """The outbox and the drafts."""
    return [
        _look("outbox", "FORERUN_OUTBOX_URL", settings.outbox_url, Outbox, OUTBOX),
        _look("drafts", "FORERUN_DRAFTS_URL", settings.drafts_url, Drafts, DRAFTS),
    ]


def _look(
    subject: str, variable: str, text: str, kind: type[Outbox | Drafts], table: sa.Table
) -> Finding:
    fix = f"name another database with {variable}"
    try:
        kind(text)
    except (ValueError, ArgumentError) as error:
        return fail(subject, f"{variable}: {error}", WITHOUT, fix)
    url = sa.make_url(text)
    try:
        return ok(subject, _reached(url, table))
    except (OSError, SQLAlchemyError) as error:
        return fail(subject, f"{_shown(url)}: {_said(error)}", WITHOUT, fix)


def _reached(url: sa.URL, table: sa.Table) -> str:
    shown, path = _shown(url), _file(url)
    if path is not None and not _writable(path).exists():
        return f"{shown} will be made by the first commit"
    engine = sa.create_engine(_reading(url), poolclass=NullPool, connect_args=_patience(url))
    with engine.connect() as connection:
        if sa.inspect(connection).has_table(table.name):
            return f"{shown} is there"
    return f"{shown} is there, its table will be made by the first commit"


def _file(url: sa.URL) -> Path | None:
    sqlite = url.get_backend_name() == "sqlite"
    return Path(url.database or "").absolute() if sqlite else None


def _writable(path: Path) -> Path:
    """The file, where it and its folder can be written, or made.

    Raises:
        OSError: they cannot.
    """
    folder = next(parent for parent in path.parents if parent.exists())
    for place in (path, folder) if path.exists() else (folder,):
        if not os.access(place, os.W_OK) or not folder.is_dir():
            raise PermissionError(EACCES, f"{place} cannot be written")
    return path


def _reading(url: sa.URL) -> sa.URL:
    if url.get_backend_name() != "sqlite":
        return url
    return url.set(database=f"file:{url.database}", query={"mode": "ro", "uri": "true"})


def _patience(url: sa.URL) -> dict[str, int]:
    name = "timeout" if url.get_backend_name() == "sqlite" else "connect_timeout"
    return {name: CONNECT_SECONDS}


def _shown(url: sa.URL) -> str:
    """Without what may be secret: a password, or an option that holds one."""
    return url.set(query={}).render_as_string(hide_password=True)


def _said(error: OSError | SQLAlchemyError) -> str:
    """In one line; further lines of a driver's may quote what was asked."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
