"""`SqliteLedger`: the three store ports in one file."""

from collections.abc import Sequence

from ...core.entries import Entry
from ...core.postings import Posting
from . import posting as postings
from .activity import Activity
from .facts import Facts
from .opened import OpenedFile
from .running import Running
from .views import Views, entry_at


class SqliteLedger(OpenedFile, Facts, Activity, Running, Views):
    """A store in one SQLite file, safe to share between threads and processes of one machine."""

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        """Write a posting in one transaction, and return the entries of its drafts; raises `Moved`."""
        with self._database.writing() as connection:
            positions = postings.post(connection, posting)
            return [entry_at(connection, position) for position in positions]
