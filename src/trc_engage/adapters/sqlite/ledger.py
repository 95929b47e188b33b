"""`SqliteLedger`: the store ports in one file, opened to write or to look at."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Self

from ...core.errors import StoreMissing
from ..sql.database import refuse_other
from ..sql.posting import SqlLedger
from ..sql.schema import SCHEMA_VERSION
from .audit import FileAudited
from .database import BUSY_SECONDS, OpenFile, SqliteDatabase, SqliteFile, connected
from .leases import LeaseFiles
from .schema import check_released

APPLIED = "SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'trc-engage'"


class ReadOnlyFile(SqliteDatabase):
    """A file that is neither made nor brought up to date, and to which nothing can be written.

    It is opened for writing all the same, if it may be: what a killed process left half written can only
    then be taken back, as the first to open it does. Nothing else that is in the file changes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path))
        if not self.path.is_file():
            raise StoreMissing(f"{self.path}: there is no such file; check its name")

    def check(self) -> None:
        """Raise `LedgerFailed` if it is a store of another version; damage is left to the doctor."""
        with suppress(sqlite3.DatabaseError, UnicodeDecodeError), self._pool.connection() as opened:
            check_released(self.address, opened.connection)
            (version,) = opened.connection.execute("PRAGMA user_version").fetchone()
            (applied,) = opened.connection.execute(APPLIED).fetchone()
            # A number that was changed by hand is no version.
            if applied == version:
                refuse_other(self.address, version, SCHEMA_VERSION)

    def _connect(self) -> OpenFile:
        opened = connected(self._file, BUSY_SECONDS)
        opened.connection.execute("PRAGMA query_only = ON")
        opened.connection.execute("PRAGMA temp_store = MEMORY")
        return opened


class SqliteLedger(LeaseFiles, SqliteFile, FileAudited, SqlLedger):
    """A store in one SQLite file, safe to share between threads and processes of one machine."""

    @classmethod
    def open_read_only(cls, path: str | os.PathLike[str]) -> Self:
        """Open a store that is there to look at it: nothing is made, migrated or written; raises `LedgerFailed`."""
        return cls._prepared(ReadOnlyFile(path), ReadOnlyFile.check)
