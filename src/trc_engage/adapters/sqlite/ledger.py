"""`SqliteLedger`: the store ports in one file, opened to write or to look at, and who holds its leases."""

import fcntl
import os
import re
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from ...core.errors import StoreMissing
from ..sql.database import refuse_other
from ..sql.posting import SqlLedger
from ..sql.runs import Running, has_ended
from ..sql.schema import SCHEMA_VERSION
from .audit import FileAudited
from .database import BUSY_SECONDS, OWNER_ONLY, OpenFile, SqliteDatabase, SqliteFile, connected
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


class LeaseFiles(Running):
    """What a store in a file knows of those who hold its leases: each keeps a locked file beside it.

    The lock is the kernel's, and ends with the process, in any container.
    """

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        # A process may change its folder later.
        self._file = os.path.realpath(database.path)
        self._locks: dict[str, int] = {}

    def close(self) -> None:
        """Close the store; a lease that is still held expires."""
        for owner in list(self._locks):
            self._let_go(owner)
        super().close()

    def _hold(self, owner: str) -> None:
        """Keep a lock for a lease; without one, on a file system that knows none, the lease expires."""
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
        """Return whether whoever holds a lease is known to have ended, also in a container that is no more."""
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


class SqliteLedger(LeaseFiles, SqliteFile, FileAudited, SqlLedger):
    """A store in one SQLite file, safe to share between threads and processes of one machine."""

    @classmethod
    def open_read_only(cls, path: str | os.PathLike[str]) -> Self:
        """Open a store that is there to look at it: nothing is made, migrated or written; raises `LedgerFailed`."""
        return cls._prepared(ReadOnlyFile(path), ReadOnlyFile.check)
