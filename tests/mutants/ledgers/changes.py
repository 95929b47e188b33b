"""What many mutants share: they write something else than they were given, or round an instant."""

from datetime import datetime
from typing import Any

from trc_engage.adapters.memory import MemoryLedger


class Changes(MemoryLedger):
    """A ledger that writes something else than it was given."""

    def change(self, posting: Any) -> Any:
        """Return what to write instead."""
        raise NotImplementedError

    def post(self, posting: Any, /) -> Any:
        """Write the changed posting."""
        return super().post(self.change(posting))


def cut(at: datetime) -> datetime:
    """Return an instant in whole seconds."""
    return at.replace(microsecond=0)
