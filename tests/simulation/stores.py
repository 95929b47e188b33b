"""Where a life keeps its ledger: in a file, or in PostgreSQL in a schema, a database or a server of its own."""

import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from attrs import frozen
from psycopg.conninfo import make_conninfo

from support.pgbouncer import pooled
from support.postgres import Server, admin, schema, server_dsn
from trc_engage.adapters.postgres import SCHEMA, PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger

OpenLedger = SqliteLedger | PostgresLedger


@frozen
class Store:
    """One ledger, for as many processes as open it."""

    open: Callable[[], OpenLedger]
    hang_up: Callable[[Any], None]
    """Leaves a connection's transaction as the death of its process would."""
    lay_out: Callable[[int], None]
    """Numbers the tables as another version of the package would, as far as this version can tell."""
    restart: Callable[[], object] | None = None
    """Restarts the server or pooler, which ends all connections; None if there are none."""


@contextmanager
def _file(*, is_fast: bool) -> Iterator[Store]:
    """Yield a file; a fast one does not wait for the disk."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "engage.db"
        yield Store(partial(_opened, path, is_fast=is_fast), _left_to_its_journal, partial(_numbered, path))


def _opened(path: Path, *, is_fast: bool) -> SqliteLedger:
    ledger = SqliteLedger.open(path)
    if is_fast:
        with ledger._database.connection() as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")
    return ledger


def _numbered(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


def _left_to_its_journal(_: object) -> None:
    """Do nothing: the next process to open the file rolls back what was not committed."""


@contextmanager
def _schema() -> Iterator[Store]:
    """Yield a schema and drop it afterward; a restart ends only its connections, since others use the server too."""
    with schema() as name:
        dsn = make_conninfo(server_dsn(), application_name=name)
        opens = partial(PostgresLedger.open, dsn, schema=name)
        yield Store(opens, _cut, partial(_recorded, dsn, name), partial(_terminated, name))


@contextmanager
def _alone() -> Iterator[Store]:
    """Yield a server that nothing else uses, so that it can be restarted as after a crash."""
    server = Server()
    try:
        opens = partial(PostgresLedger.open, server.dsn)
        yield Store(opens, _cut, partial(_recorded, server.dsn, SCHEMA), server.restart)
    finally:
        server.end(os.getpid())


@contextmanager
def _pooled() -> Iterator[Store]:
    """Yield a database behind a PgBouncer that shares its few connections between clients, and may be restarted."""
    with pooled(()) as pool:
        opens = partial(PostgresLedger.open, pool.dsn)
        yield Store(opens, _cut, partial(_recorded, pool.direct, SCHEMA), pool.restart)


def _terminated(name: str) -> None:
    admin().execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = %s", [name])


def _recorded(dsn: str, schema: str, version: int) -> None:
    with psycopg.connect(dsn, autocommit=True, options=f"-c search_path={schema}") as connection:
        connection.execute("DELETE FROM schema_migrations WHERE version > %s", [version])
        connection.execute("INSERT INTO schema_migrations VALUES (%s) ON CONFLICT DO NOTHING", [version])


def _cut(connection: Any) -> None:
    """Shut the socket without a COMMIT, a ROLLBACK or a goodbye."""
    with socket.socket(fileno=os.dup(connection.driver.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


STORES: dict[str, Callable[[], AbstractContextManager[Store]]] = {
    "sqlite": partial(_file, is_fast=True),
    "sqlite-synced": partial(_file, is_fast=False),
    "postgres": _schema,
    "pgbouncer": _pooled,
    "postgres-alone": _alone,
}
"""Each yields an empty store."""
