"""`SqliteLedger`: the store ports in one file."""

import os
from typing import Self

from ..sql.ledger import SqlLedger
from .audit import FileAudited
from .opened import OpenedFile
from .untouched import UntouchedFile


class SqliteLedger(OpenedFile, FileAudited, SqlLedger):
    """A store in one SQLite file, safe to share between threads and processes of one machine."""

    @classmethod
    def open_untouched(cls, path: str | os.PathLike[str]) -> Self:
        """Open a store that is there to look at it: nothing is made, migrated or written; raises `LedgerFailed`."""
        return cls._prepared(UntouchedFile(path), UntouchedFile.check)
