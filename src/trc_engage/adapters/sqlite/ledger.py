"""`SqliteLedger`: the store ports in one file, its audit, and its lease owners."""

import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, cast

from ...core.audit import Breach
from ..sql import Connection
from ..sql.audit import Audited
from ..sql.posting import SqlLedger
from ..sql.runs import has_ended
from ..sql.schema import SCHEMA_VERSION
from ..sql.tables import TABLES
from .database import DAMAGE, OWNER_ONLY, FileConnection, SqliteViews
from .schema import APPLICATION_ID, migrate

FOUND_MAX = 100
"""How many flaws SQLite's own check reports; one lost page may cause thousands."""

SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"
NUMBERED = [
    (table.name, name) for table in TABLES.values() for name, column in table.columns.items() if column.type == "number"
]
OWNER_PARTS = 3
OWNERS = {
    "discord_activity": "link",
    "membership_events": "event",
    "entries": "entry",
    "balances": "balance",
    "streaks": "streak",
    "discord_days": "evidence",
    "excusals": "calendar",
}
"""The check that a dangling row belongs to, by its table."""


class FileAudited(Audited):
    """The `Records` port for one file."""

    def irregularities(self) -> Sequence[Breach]:
        found: list[Breach] = []
        for name, look in LOOKS.items():
            with self._inspected() as connection:
                found += self._seen(name, look(connection))
        return [*found, *super().irregularities()]

    def _seen(self, name: str, flaws: Iterator[Breach]) -> Iterator[Breach]:
        """Yield the flaws up to the damage that ends a check, and then the damage."""
        try:
            yield from flaws
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            damage = self._damage_of(error)
            if damage is None:
                raise
            yield Breach("integrity", "file", f"the check of its {name}", f"stopped by damage ({damage})", "complete")

    @contextmanager
    def _inspected(self) -> Iterator[Connection]:
        with super()._inspected() as inspected:
            connection = cast("FileConnection", inspected)
            # Invalid bytes become half surrogates, which are reported instead of stopping the check.
            connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
            try:
                yield connection
            finally:
                connection.text_factory = str

    def _damage_of(self, error: Exception) -> str | None:
        if isinstance(error, UnicodeDecodeError):
            # SQLite's message quotes a name that damage has turned into invalid bytes.
            return "a name that is not text"
        if not isinstance(error, sqlite3.DatabaseError):
            return None
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return str(error) if code & 0xFF in DAMAGE else None


def _pages(connection: Connection) -> Iterator[Breach]:
    for (flaw,) in connection.execute(f"PRAGMA integrity_check({FOUND_MAX})"):
        if flaw != "ok":
            text = " ".join(str(flaw).replace("*** in database main ***", "").split())
            yield Breach("integrity", "file", "SQLite's own check", text, "ok")


def _references(connection: Connection) -> Iterator[Breach]:
    seen: dict[tuple[str, str], int] = {}
    for table, _row, parent, _number in connection.execute("PRAGMA foreign_key_check"):
        seen[table, parent] = seen.get((table, parent), 0) + 1
    for (table, parent), count in seen.items():
        what = f"the row of {parent} that it refers to"
        found = "missing" if count == 1 else f"missing, in {count:,} rows"
        yield Breach(OWNERS.get(table, "integrity"), f"table {table}", what, found, "there")


def _header(connection: Connection) -> Iterator[Breach]:
    for pragma, expected in (("application_id", APPLICATION_ID), ("user_version", SCHEMA_VERSION)):
        (found,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if found != expected:
            yield Breach("file", "file", f"its {pragma}", found, expected)


def _schema(connection: Connection) -> Iterator[Breach]:
    found = {(row[0], row[1]): row[2:] for row in connection.execute(SCHEMA)}
    expected = _fresh_schema()
    for kind, name in sorted(found.keys() | expected.keys()):
        ours, theirs = expected.get((kind, name)), found.get((kind, name))
        if ours != theirs:
            state = "missing" if theirs is None else "there" if ours is None else "another"
            in_new = "none" if ours is None else "as in a new store"
            yield Breach("schema", f"{kind} {name}", "its definition", state, in_new)


@cache
def _fresh_schema() -> dict[tuple[str, str], tuple[str, str | None]]:
    """Return the schema of a new file."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection)
        return {(row[0], row[1]): row[2:] for row in connection.execute(SCHEMA)}
    finally:
        connection.close()


def _positions(connection: Connection) -> Iterator[Breach]:
    """Check that no last row is missing: a failed transaction returns its numbers."""
    for table, number in NUMBERED:
        (last,) = connection.execute(f"SELECT coalesce(max({number}), 0) FROM {table}").fetchone()
        given = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table]).fetchone() or (0,)
        if given[0] != last:
            what = f"the last {number} ever given"
            yield Breach("order", f"table {table}", what, given[0], f"{last}, the last one there")


def _owners(connection: Connection) -> Iterator[Breach]:
    """Check that leases name host and process, so that a dead process's lease can be taken over at once."""
    for task, owner in connection.execute("SELECT task, owner FROM leases"):
        parts = str(owner).rsplit(":", 2)
        if len(parts) != OWNER_PARTS or not parts[1].isdecimal():
            yield Breach("lease", f"lease of {task!r}", "its owner", "something else", "host:process:token")


LOOKS: dict[str, Callable[[Connection], Iterator[Breach]]] = {
    "pages": _pages,
    "references": _references,
    "header": _header,
    "schema": _schema,
    "positions": _positions,
    "leases": _owners,
}


class SqliteLedger(SqliteViews, FileAudited, SqlLedger):
    """A store in one SQLite file, safe to share between threads and processes of one machine.

    The owner of a lease holds a locked file next to the store; the kernel releases the lock when the process ends,
    whatever its container.
    """

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        # Absolute, because the process may change its working directory.
        self._file = os.path.realpath(database.path)
        self._locks: dict[str, int] = {}

    def close(self) -> None:
        """Close the store; a lease that is still held expires."""
        for owner in list(self._locks):
            self._let_go(owner)
        super().close()

    def _hold(self, owner: str) -> None:
        """Hold a lock for a lease; on a file system without locks, the lease can only expire."""
        with suppress(OSError):
            path = self._lock_of(owner)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
            self._locks[owner] = descriptor
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._let_go(owner)

    def _let_go(self, owner: str) -> None:
        if (descriptor := self._locks.pop(owner, None)) is not None:
            with suppress(OSError):
                os.unlink(self._lock_of(owner))  # noqa: PTH108  a text is at hand
            os.close(descriptor)

    def _is_gone(self, owner: str) -> bool:
        """Return whether a lease's owner is known to have ended, even in a container that no longer exists."""
        path = self._lock_of(owner)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return has_ended(owner)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)  # noqa: PTH108
        except OSError:
            return has_ended(owner)
        finally:
            os.close(descriptor)
        return True

    def _lock_of(self, owner: str) -> str:
        token = re.sub(r"[^0-9a-f].*", "", owner.rpartition(":")[2])
        return f"{self._file}-lease-{token}"
