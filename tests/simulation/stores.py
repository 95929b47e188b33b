"""Where a life keeps its ledger: in a file, or in a schema of its own in a PostgreSQL database."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen

from support.pgbouncer import pooled
from support.postgres import schema, server_dsn
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger

OpenLedger = SqliteLedger | PostgresLedger


@frozen
class Store:
    """One ledger, for as many processes as open it."""

    open: Callable[[], OpenLedger]
    hang_up: Callable[[Any], None]
    """Leaves a connection's transaction as the death of its process does."""


@contextmanager
def _file(*, is_fast: bool) -> Iterator[Store]:
    """Lend a file; a fast one does not wait for the disk."""
    with TemporaryDirectory() as folder:
        yield Store(partial(_opened, Path(folder) / "engage.db", is_fast=is_fast), _left_to_its_journal)


def _opened(path: Path, *, is_fast: bool) -> SqliteLedger:
    ledger = SqliteLedger.open(path)
    if is_fast:
        with ledger._database.connection() as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")
    return ledger


def _left_to_its_journal(_: object) -> None:
    """Do nothing: what was not committed is rolled back by whoever looks next."""


@contextmanager
def _schema() -> Iterator[Store]:
    """Lend a schema, dropped afterwards."""
    with schema() as name:
        yield Store(partial(PostgresLedger.open, server_dsn(), schema=name), _cut)


@contextmanager
def _pooled() -> Iterator[Store]:
    """Lend a database behind a PgBouncer that hands its few connections from one to the next."""
    with pooled(()) as pool:
        yield Store(partial(PostgresLedger.open, pool.dsn), _cut)


def _cut(connection: Any) -> None:
    """Shut the socket, without a COMMIT, a ROLLBACK or a farewell."""
    with socket.socket(fileno=os.dup(connection.driver.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


STORES: dict[str, Callable[[], AbstractContextManager[Store]]] = {
    "sqlite": partial(_file, is_fast=True),
    "sqlite-synced": partial(_file, is_fast=False),
    "postgres": _schema,
    "pgbouncer": _pooled,
}
"""Each lends a store that is empty."""
