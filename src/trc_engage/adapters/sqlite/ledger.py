"""`SqliteLedger`: the store ports in one file, opened to write or to look at, and who holds its leases."""

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from ..sql.posting import SqlLedger
from ..sql.runs import has_ended
from .audit import FileAudited
from .database import OWNER_ONLY, SqliteDatabase, SqliteViews


class SqliteLedger(SqliteViews, FileAudited, SqlLedger):
    """A store in one SQLite file, safe to share between threads and processes of one machine.

    Whoever holds one of its leases keeps a locked file beside it: the lock is the kernel's, and ends with the process,
    in any container.
    """

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        # A process may change its folder later.
        self._file = os.path.realpath(database.path)
        self._locks: dict[str, int] = {}

    @classmethod
    def open_read_only(cls, path: str | os.PathLike[str]) -> Self:
        """Open a store that is there to look at it: nothing is made, migrated or written; raises `LedgerFailed`."""
        return cls._prepared(SqliteDatabase(Path(path), read_only=True), SqliteDatabase.check)

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
