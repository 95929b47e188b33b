"""How one file is opened, and its views alone."""

import os
from pathlib import Path
from typing import Self

from ...core.errors import InvalidValue
from ..sql.database import SqlStore
from ..sql.queries import Days, Views
from .database import SqliteDatabase


class SqliteFile(SqlStore):
    """Opens and closes; what can be done in between its children say."""

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, create: bool = True) -> Self:
        """Open the store at `path`; if there is none it is made, or with `create=False` `StoreMissing` raised.

        A file that is made can be read and written by its owner alone. Raises `InvalidValue`, `LedgerFailed` and
        `LedgerBusy`.
        """
        if str(path) in {"", ":memory:"}:
            raise InvalidValue("path", str(path), "name a file; for a ledger without a disk take MemoryLedger")
        return cls._prepared(
            SqliteDatabase(Path(path)), SqliteDatabase.make if create else SqliteDatabase.bring_up_to_date
        )


class SqliteViews(SqliteFile, Days, Views):
    """The views of a store alone, for whoever only reads: quicker to load than all of `SqliteLedger`."""
