"""A digest of everything a ledger holds that does not depend on the kind of database."""

from collections import defaultdict
from hashlib import sha256
from itertools import count
from typing import Any

from trc_engage.adapters.sql.posting import SqlLedger
from trc_engage.adapters.sql.tables import COPIED

NUMBERED = frozenset({"account_id", "run_id", "number"})
"""Numbers that a database assigns: after a failed transaction PostgreSQL skips its numbers, SQLite reuses them.
A `number` only orders the rows of its own table.
"""


def digest_of(ledger: SqlLedger) -> bytes:
    """Return a digest of all rows, in which numbers that the database assigned are replaced by their order."""
    told = sha256()
    numbers: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(count(1).__next__))
    with ledger._database.snapshot() as session:
        for table in COPIED:
            keys = ", ".join([*table.columns][: table.keys])
            statement = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {keys}"  # noqa: S608
            for row in session.execute(statement):
                values = [_told(table.name, *named, numbers) for named in zip(table.columns, row, strict=True)]
                told.update(f"{table.name} {values}".encode())
    return told.digest()


def _told(table: str, name: str, value: Any, numbers: dict[str, dict[int, int]]) -> Any:
    if name in NUMBERED and value is not None:
        return numbers[f"{table} {name}" if name == "number" else name][value]
    return int(value) if isinstance(value, bool) else value
