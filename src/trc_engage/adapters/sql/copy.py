"""A whole store copied into another, whatever database either is in."""

from collections.abc import Iterator

from ...core.errors import LedgerFailed
from .database import Connection, Database, Row
from .tables import TABLES, Table

PAGE = 10_000
"""How many rows are read at a time."""
COPIED = tuple(table for name, table in TABLES.items() if name not in {"leases", "requests"})
"""All but these two, for nobody is at work on a copy."""


def copy(source: Database, target: Database) -> None:
    """Copy one state of a store into an empty one, all of it or nothing; raises `LedgerFailed` if it is not empty."""
    with source.snapshot() as reads, target.transaction() as writes:
        source.extend_timeout(reads)
        for table in COPIED:
            if writes.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone() is not None:
                raise LedgerFailed(
                    f"{target.address} is not empty, and nothing was copied: name a store that holds nothing yet"
                )
        for table in COPIED:
            target.fill(writes, table.name, [*table.columns], _rows(reads, table))


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    """Yield a table's rows in the order of their keys, so that no more than a page is held."""
    columns = [*table.columns]
    keys = ", ".join(columns[: table.keys])
    pages = f"ORDER BY {keys} LIMIT {PAGE}"
    whole = f"SELECT {', '.join(columns)} FROM {table.name}"
    beyond = f"{whole} WHERE ({keys}) > ({', '.join('?' * table.keys)}) {pages}"
    page = connection.execute(f"{whole} {pages}").fetchall()
    while page:
        yield from page
        page = connection.execute(beyond, page[-1][: table.keys]).fetchall()
