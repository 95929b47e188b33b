"""A file that is only looked at."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from ...core.errors import LedgerFailed
from ..sql.versions import refuse_other
from .database import BUSY_SECONDS, SCHEMA_VERSION, Database

APPLIED = "SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'trc-engage'"


class UntouchedFile(Database):
    """A file that is neither made nor brought up to date, and to which nothing can be written.

    It is opened for writing all the same, if it may be: what a killed process left half written can only
    then be taken back, as it is by whoever comes first. Nothing else that is in the file changes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path))
        if not self.path.is_file():
            message = f"{self.path}: there is no such file; check its name"
            raise LedgerFailed(message)

    def check(self) -> None:
        """Raise `LedgerFailed` if it is a store of another version; what is damaged is the doctor's to tell."""
        with suppress(sqlite3.DatabaseError, UnicodeDecodeError), self._pool.lent() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (applied,) = connection.execute(APPLIED).fetchone()
            # A number that was changed by hand is no version.
            if applied == version:
                refuse_other(self.place, version, SCHEMA_VERSION)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path.absolute()))}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection
