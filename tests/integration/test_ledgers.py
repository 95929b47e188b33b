"""All ledgers keep the contract that is shipped for all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres import opened_postgres
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.postgres import PostgresLedger
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


class TestPostgresLedger(LedgerContract):
    """The store on a server."""

    @pytest.fixture
    def ledger(self) -> Iterator[PostgresLedger]:
        """Lend an empty store."""
        with opened_postgres() as ledger:
            yield ledger
