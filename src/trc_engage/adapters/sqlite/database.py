"""Connections to the one file: opened, lent, in a transaction, with every foreign error translated."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...core.errors import LedgerBusy, LedgerFailed
from ..sql.pool import Pool
from ..sql.versions import refuse_newer, refuse_other
from .staging import fill, merge, stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..sql.session import Session

APPLICATION_ID = 0x54524345
"""'TRCE', so that a foreign database is told from ours."""
SCHEMA_VERSION = 4
BUSY_SECONDS = 10.0
CACHE_KIB = 32 * 1024
POOL_SIZE = 100
"""More than any program has threads at work: who waits, waits for the file."""


# The cross join keeps SQLite from reading everybody's days in between: the key leads with the day.
DISCORD_EVIDENCE = """
WITH RECURSIVE bounds (first, last) AS (
    SELECT max(:first, (SELECT min(day) FROM discord_days)), min(:last, (SELECT max(day) FROM discord_days))
), calendar (day) AS (
    SELECT first FROM bounds WHERE first <= last
    UNION ALL
    SELECT date(day, '+1 day') FROM calendar WHERE day < (SELECT last FROM bounds)
)
SELECT day, account_id, opens_at, closes_at
FROM calendar CROSS JOIN discord_days USING (day)
WHERE member_id = :member
"""


class Database:
    """A pool of connections to one file, each lent to one thread at a time.

    TRUNCATE with synchronous FULL is what lost no acknowledged commit when power was cut (WAL with
    NORMAL did). Every writing transaction begins IMMEDIATE: one that reads first and writes later
    would fail at once when another writes in between, whatever the time-out.
    """

    discord_evidence = DISCORD_EVIDENCE
    stage = staticmethod(stage)
    merge = staticmethod(merge)
    fill = staticmethod(fill)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pool = Pool(self._connect, self.place, size=POOL_SIZE, seconds_max=BUSY_SECONDS, is_alive=_is_at_rest)

    def bring_up_to_date(self) -> None:
        """Lay out the tables, or those that are new; raises `LedgerFailed` if they are newer than this version."""
        with self.lent() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version < SCHEMA_VERSION:
                # sqlite-utils costs more time to import than most commands take to run.
                from .schema import migrate  # noqa: PLC0415

                migrate(connection)
            refuse_newer(self.place, version, SCHEMA_VERSION)

    @property
    def place(self) -> str:
        """The path of the file."""
        return str(self.path)

    def size_bytes(self, session: Session, /) -> int:
        """Return how long the file is."""
        (pages,) = session.execute("PRAGMA page_count").fetchone()
        (page_bytes,) = session.execute("PRAGMA page_size").fetchone()
        return int(pages) * int(page_bytes)

    def be_patient(self, session: Session, /) -> None:
        """Do nothing: no statement has a limit here."""

    def close(self) -> None:
        """Close what is idle now and what is lent when it comes back."""
        self._pool.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection on which all reads see one state."""
        with self.lent() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection in a transaction of which all is committed, or nothing."""
        with self.lent() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                # A newer process may have brought the tables up to date while this one had them open.
                refuse_other(self.place, connection.execute("PRAGMA user_version").fetchone()[0], SCHEMA_VERSION)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; what SQLite raises meanwhile is translated."""
        with self._translated(), self._pool.lent() as connection:
            yield connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # What is forgotten must not linger in freed pages.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)
            primary = sqlite3.SQLITE_ERROR if code is None else code & 0xFF
            if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                message = (
                    f"{self.path} is in use by others for over {BUSY_SECONDS:.0f} s; nothing was written: try again"
                )
                raise LedgerBusy(message) from error
            advice = ADVICE.get(primary, "nothing was written; see the cause")
            message = f"{self.path}: {error}: {advice}"
            raise LedgerFailed(message) from error
        except (OverflowError, UnicodeEncodeError) as error:
            message = f"{self.path}: a value cannot be stored ({error}); nothing was written"
            raise LedgerFailed(message) from error


def _is_at_rest(connection: sqlite3.Connection) -> bool:
    return not connection.in_transaction


ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing was written: free space and run again",
    sqlite3.SQLITE_CANTOPEN: "check that its folder exists and that you may write there",
    sqlite3.SQLITE_READONLY: "it may not be written; check owner and permissions of file and folder, and the disk",
    sqlite3.SQLITE_PERM: "check owner and permissions of the file and its folder",
    sqlite3.SQLITE_IOERR: "the disk failed; nothing was half-written: check it and its free space, then run again",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database; check the path, or put back a backup",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; put back a backup",
}
"""What to do, by SQLite's primary result code."""
