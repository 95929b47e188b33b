"""What many mutants have in common: they write something else than they were handed, or round an instant."""

from datetime import datetime
from typing import Any

from trc_engage.adapters.memory import MemoryLedger


class Changes(MemoryLedger):
    """A ledger that writes something else than it was handed."""

    def change(self, posting: Any) -> Any:
        """Return what it writes."""
        raise NotImplementedError

    def post(self, posting: Any, /) -> Any:
        """Write it."""
        return super().post(self.change(posting))


def cut(at: datetime) -> datetime:
    """Return an instant in whole seconds."""
    return at.replace(microsecond=0)
