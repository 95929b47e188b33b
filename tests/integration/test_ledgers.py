"""All ledgers keep the contract that is shipped for all."""

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
    """The store without a disk."""


class TestWithoutADoctor(MemoryContract):
    """A ledger may do without what the doctor asks for."""

    ledger_class = WithoutADoctor


class TestSqliteLedger(SqliteContract):
    """The store in one file."""


class TestPostgresLedger(PostgresContract):
    """The store on a server."""


class TestJoinedLedger(LedgerContract):
    """The promises hold on a caller's connection too, where each call is committed by itself."""

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
