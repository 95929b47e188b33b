"""The store ports, over whatever database lends its sessions."""

from collections.abc import Sequence

from ...core.model import Entry
from ...core.posting import Posting
from .audit import Audited
from .copy import copy
from .posting import post
from .queries import Activity, Facts, Views, entry_at
from .runs import Running


class SqlLedger(Facts, Activity, Running, Views, Audited):
    """A store in SQL."""

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        """Write a posting in one transaction, and return the entries of its drafts; raises `Conflict`."""
        with self._database.writing() as session:
            positions = post(self._database, session, posting)
            return [entry_at(session, position) for position in positions]

    def fill_from(self, other: "SqlLedger", /) -> None:
        """Take over all that another store holds, or nothing; raises `LedgerFailed` if this one is not empty."""
        copy(other._database, self._database)  # noqa: SLF001  one of our own kind
