"""A file that is open."""

import os
from typing import Self

from ..sql.opened import Opened
from .database import Database


class OpenedFile(Opened):
    """Opens and closes; what can be done in between its children say."""

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open the store at `path`, made if it is not there; raises `LedgerFailed` and `LedgerBusy`."""
        return cls(Database.open(path))
