"""What a store holds, and what is wrong with it."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, nullcontext
from difflib import unified_diff
from pathlib import Path

from trc_engage import Engage
from trc_engage.adapters.sqlite import SqliteLedger

from .newer import VERSION, newer_version
from .scenes import NOW


def contents(path: Path) -> str:
    """Return everything a database holds, as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")]
        return "\n".join([*map(str, marks), *connection.iterdump()])


def let_go(path: Path) -> None:
    """Release the leases that a store still holds."""
    with closing(sqlite3.connect(path)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'leases'").fetchone():
            connection.execute("DELETE FROM leases")
            connection.commit()


def facts(contents: str) -> str:
    """Return contents without the time of the next request, which a run only keeps if it can (R21)."""
    return "\n".join(line for line in contents.splitlines() if not line.startswith('INSERT INTO "requests"'))


def difference(found: str, expected: str) -> str:
    """Return the rows that are in only one of two contents."""
    return "\n".join(unified_diff(expected.splitlines(), found.splitlines(), "expected", "found", lineterm="", n=0))


def flaws(path: Path) -> Sequence[str]:
    """Return everything that SQLite and the doctor of the store's version find wrong with it."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    with newer_version() if version == VERSION else nullcontext(), SqliteLedger.open(path) as ledger:
        breaches = Engage(ledger=ledger, clock=lambda: NOW).audit().breaches
    with closing(sqlite3.connect(path)) as connection:
        told = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        return [*map(str, breaches), *(line for line in told if line != "ok")]
