"""Databases of effects as another program sees them, by the drivers themselves."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, closing
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.rows import dict_row

Row = dict[str, Any]


def rows(url: str, table: str) -> list[Row]:
    """All rows of a table."""
    query = f"SELECT * FROM {table}"
    if sa.make_url(url).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(path_of(url))) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]
    with postgres(url) as connection:
        return connection.cursor(row_factory=dict_row).execute(query.encode()).fetchall()


def tables(url: str) -> list[str]:
    """The names of all tables."""
    if sa.make_url(url).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(path_of(url))) as connection:
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
            return [name for (name,) in connection.execute(query)]
    with postgres(url) as connection:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        return [name for (name,) in connection.execute(query)]


def path_of(url: str) -> str:
    """The file of a SQLite database."""
    return sa.make_url(url).database or ""


def postgres(url: str) -> AbstractContextManager[psycopg.Connection[Any]]:
    """A connection that commits at the end of the block, and rolls back if it fails."""
    libpq = sa.make_url(url).set(drivername="postgresql")
    return psycopg.connect(libpq.render_as_string(hide_password=False))
