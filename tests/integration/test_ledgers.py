"""Both ledgers keep the contract that is shipped for all."""

from pathlib import Path

from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing import LedgerContract


class TestMemoryLedger(LedgerContract):
    """The store without a disk."""

    def make_ledger(self, folder: Path) -> MemoryLedger:  # noqa: ARG002
        """Return an empty store."""
        return MemoryLedger()


class TestSqliteLedger(LedgerContract):
    """The store in one file."""

    def make_ledger(self, folder: Path) -> SqliteLedger:
        """Return an empty store."""
        return SqliteLedger.open(folder / "engage.db")
