"""`SqliteLedger`: the three store ports in one file."""

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ...core.entries import Entry
from ...core.postings import Posting
from . import posting as postings
from .activity import Activity
from .database import Database
from .facts import Facts
from .running import Running
from .views import Views, entry_at


class SqliteLedger(Facts, Activity, Running, Views):
    """A store in one SQLite file, safe to share between threads and processes of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open the store at `path`, made if it is not there; raises `LedgerFailed` and `LedgerBusy`."""
        return cls(Database.open(path))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        """Write a posting in one transaction, and return the entries of its drafts; raises `Moved`."""
        with self._database.writing() as connection:
            positions = postings.post(connection, posting)
            return [entry_at(connection, position) for position in positions]
