"""Every ledger keeps the contract that comes with the package."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from support.own_ledgers import MemoryContract, PostgresContract, SqliteContract, WithoutADoctor
from support.postgres import opened_postgres, server_dsn
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.ports import Store
from trc_engage.testing import LedgerContract


class TestMemoryLedger(MemoryContract):
    """The ledger in memory."""


class TestWithoutADoctor(MemoryContract):
    """A ledger without what the doctor needs."""

    ledger_class = WithoutADoctor


class TestSqliteLedger(SqliteContract):
    """The ledger in a SQLite file."""


class TestPostgresLedger(PostgresContract):
    """The ledger on a PostgreSQL server."""


class TestJoinedLedger(LedgerContract):
    """A ledger on a caller's connection keeps the contract too, if each call is committed by itself."""

    lasts = False  # it goes with the connection

    @pytest.fixture(autouse=True)
    def _connected(self, request: pytest.FixtureRequest) -> Iterator[None]:
        if any(words in request.node.name for words in ("of_many", "readers_see_whole")):
            pytest.skip("a connection is for one thread at a time")
        with (
            opened_postgres() as ledger,
            psycopg.connect(
                server_dsn(), autocommit=True, options="-c TimeZone=Asia/Tokyo -c DateStyle=SQL,DMY"
            ) as own,
        ):
            schema = ledger._database._address.schema  # type: ignore[attr-defined]
            self.joined = PostgresLedger.open(connection=own, schema=schema)
            yield

    def make_ledger(self, folder: Path) -> Store:  # noqa: ARG002
        """Return the ledger on the connection of this test."""
        return self.joined
