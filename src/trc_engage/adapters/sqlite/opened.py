"""A file that is open."""

import os
from types import TracebackType
from typing import Self

from ..sql.session import Sessions
from .database import Database


class OpenedFile:
    """Opens and closes; what can be done in between its children say."""

    def __init__(self, database: Database) -> None:
        self._database: Sessions = database

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
