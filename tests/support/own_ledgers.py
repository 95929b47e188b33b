"""The package's own ledgers, prepared for the shipped contract."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing import LedgerContract

UNBALANCED = "UPDATE balances SET points = points + 7 WHERE member_id = '{}' AND source = 'benchmark'"
ODD = "UPDATE monthly_balances SET points = points + 7"


class InMemory:
    """Makes memory ledgers for the contract."""

    lasts = False
    ledger_class: Any = MemoryLedger

    def make_ledger(self, folder: Path) -> Any:  # noqa: ARG002
        """Return an empty store."""
        return self.ledger_class()

    def unbalance(self, ledger: Any, member_id: str) -> None:
        """Change a balance in memory."""
        ledger._balances[member_id]["benchmark"] += 7

    def damage(self, ledger: Any) -> None:
        """Swap two entries."""
        entries = ledger._entries
        entries[0], entries[1] = entries[1], entries[0]


class MemoryContract(InMemory, LedgerContract):
    """The contract for `MemoryLedger`."""


OF_THE_DOCTOR = {"holdings", "lines", "irregularities", "rebalance", "reword"}


class WithoutADoctor:
    """A ledger that lacks only the methods the doctor needs."""

    def __init__(self) -> None:
        self._ledger: Any = MemoryLedger()

    def __getattr__(self, name: str) -> Any:
        """Pass every other method through."""
        if name in OF_THE_DOCTOR:
            raise AttributeError(name)
        return getattr(self._ledger, name)


class InAFile:
    """Makes SQLite ledgers for the contract."""

    ledger_class: Any = SqliteLedger

    def make_ledger(self, folder: Path) -> Any:
        """Return the store in the folder."""
        return self.ledger_class.open(folder / "engage.db")

    def unbalance(self, ledger: Any, member_id: str) -> None:
        """Change a balance in the file."""
        self._write(ledger, UNBALANCED.format(member_id))

    def damage(self, ledger: Any) -> None:
        """Change the monthly balances in the file."""
        self._write(ledger, ODD)

    def _write(self, ledger: Any, statement: str) -> None:
        with closing(sqlite3.connect(ledger.tally().store, isolation_level=None)) as connection:
            connection.execute(statement)


class SqliteContract(InAFile, LedgerContract):
    """The contract for `SqliteLedger`."""


class PostgresContract(LedgerContract):
    """The contract for `PostgresLedger`."""

    @pytest.fixture
    def ledger(self) -> Iterator[Any]:
        """Yield an empty store."""
        from .postgres import opened_postgres  # noqa: PLC0415

        with opened_postgres() as ledger:
            yield ledger

    def reopen(self, ledger: Any, folder: Path) -> Any:  # noqa: ARG002
        """Open the same schema again."""
        from trc_engage.adapters.postgres import PostgresLedger  # noqa: PLC0415

        from .postgres import server_dsn  # noqa: PLC0415

        ledger.close()
        return PostgresLedger.open(server_dsn(), schema=_schema_of(ledger))

    def unbalance(self, ledger: Any, member_id: str) -> None:
        """Change a balance in the schema."""
        self._write(ledger, UNBALANCED.format(member_id))

    def damage(self, ledger: Any) -> None:
        """Change the monthly balances in the schema."""
        self._write(ledger, ODD)

    def _write(self, ledger: Any, statement: str) -> None:
        from .postgres import admin  # noqa: PLC0415

        admin().execute(f"SET search_path = {_schema_of(ledger)}")
        admin().execute(statement)


def _schema_of(ledger: Any) -> str:
    return str(ledger._database._address.schema)
