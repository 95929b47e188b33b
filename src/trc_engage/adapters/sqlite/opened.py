"""A file that is open."""

import os
from pathlib import Path
from typing import Self

from ...core.errors import InvalidValue
from ..sql.opened import Opened
from .database import Database


class OpenedFile(Opened):
    """Opens and closes; what can be done in between its children say."""

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open the store at `path`, made if it is not there; raises `InvalidValue`, `LedgerFailed` and `LedgerBusy`."""
        if str(path) in {"", ":memory:"}:
            raise InvalidValue("path", str(path), "name a file; for a ledger without a disk take MemoryLedger")
        return cls._prepared(Database(Path(path)), Database.bring_up_to_date)
