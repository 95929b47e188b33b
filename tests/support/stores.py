"""Stores that several processes open, each by an address such as `TRC_ENGAGE_STORE` holds."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.entrypoints.settings import Settings
from trc_engage.entrypoints.wiring import opened_or_made_ledger

SHARED = ("sqlite", "postgres")
"""The kinds of ledger that processes can share."""


def made(settings: Settings) -> None:
    """Make the store that the settings name, as the first enrollment does."""
    opened_or_made_ledger(settings, lambda _: None).close()


def opened_at(address: str) -> SqliteLedger | PostgresLedger:
    """Open the store at an address from `addressed`, and create it if it does not exist."""
    dsn, is_server, schema = address.rpartition("schema=")
    return PostgresLedger.open(dsn[:-1], schema=schema) if is_server else SqliteLedger.open(address)


@contextmanager
def addressed(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of a store of one of the `SHARED` kinds that does not exist yet."""
    if kind == "sqlite":
        yield str(folder / "engage.db")
        return
    # A process that is started for a test needs no server of its own.
    from .postgres import schema, server_dsn  # noqa: PLC0415

    with schema() as name:
        yield f"{server_dsn()}{'&' if '?' in server_dsn() else '?'}schema={name}"


def let_take_any_board(path: Path) -> None:
    """Make a file forget its board's id so that it accepts any board: every test's server is a different one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE runs SET board_id = NULL")
