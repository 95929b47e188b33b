"""Damage that someone can do to a store's file by hand."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from attrs import frozen


@frozen
class Damage:
    """One change to a store's file, and what the doctor reports for it."""

    name: str
    do: str | Callable[[Path], None]
    """SQL that runs without triggers and constraints, or a function that changes the file itself."""
    check: str
    told: str
    """What the breach's message says."""

    def on(self, path: Path) -> None:
        """Apply the damage; triggers that were dropped for it are created again."""
        if not isinstance(self.do, str):
            self.do(path)
            return
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            script = self.do
            for short, long in PICKED.items():
                script = script.replace(short, long)
            connection.executescript(script)
            for _, sql in triggers:
                connection.execute(sql)


def by_hand(statement: str) -> Callable[[Path], None]:
    """Return a change to the schema itself."""

    def do(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript(f"PRAGMA writable_schema = ON; {statement}; PRAGMA writable_schema = RESET;")

    return do


def overwritten(table: str, offset: int, with_bytes: bytes) -> Callable[[Path], None]:
    """Return a change that overwrites bytes in a table's first page."""

    def do(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table]).fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        data = bytearray(path.read_bytes())
        start = (root - 1) * size + offset
        data[start : start + len(with_bytes)] = with_bytes
        path.write_bytes(data)

    return do


def cut(path: Path) -> None:
    """Remove the last page."""
    path.write_bytes(path.read_bytes()[:-4_096])


PICKED = {
    "GAIN": "(SELECT max(position) FROM entries WHERE kind = 'gain' AND member_id = 'ada')",
    "AWARD": "(SELECT position FROM entries WHERE key = 'run:5')",
    "RISE": "account_id = 1 AND day = '2026-03-05'",
}
"""Abbreviations in the statements of `damages`, and the SQL for which they stand."""
