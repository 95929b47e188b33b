"""`MemoryLedger`: the store ports without a disk."""

from collections.abc import Sequence

from ...core.entries import Entry
from ...core.postings import Posting
from .audit import Audited
from .posting import post
from .running import Running
from .state import State
from .views import Views


class MemoryLedger(Views, Running, Audited):
    """A store for tests and trials: it lives as long as the process, and threads may share it."""

    def __init__(self) -> None:
        self._state = State()

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        """Write a posting, all or nothing, and return the entries of its drafts; raises `Moved`."""
        with self._state.lock:
            return post(self._state, posting)
