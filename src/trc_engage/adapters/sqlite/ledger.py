"""`SqliteLedger`: the three store ports in one file."""

from collections.abc import Sequence

from ...core.entries import Entry
from ...core.postings import Posting
from ..sql import posting as postings
from ..sql.activity import Activity
from ..sql.facts import Facts
from ..sql.running import Running
from ..sql.views import Views, entry_at
from .opened import OpenedFile


class SqliteLedger(OpenedFile, Facts, Activity, Running, Views):
    """A store in one SQLite file, safe to share between threads and processes of one machine."""

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        """Write a posting in one transaction, and return the entries of its drafts; raises `Moved`."""
        with self._database.writing() as session:
            positions = postings.post(self._database, session, posting)
            return [entry_at(session, position) for position in positions]
