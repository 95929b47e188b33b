"""All ledgers keep the contract that is shipped for all."""

from support.own_ledgers import MemoryContract, PostgresContract, SqliteContract


class TestMemoryLedger(MemoryContract):
    """The store without a disk."""


class TestSqliteLedger(SqliteContract):
    """The store in one file."""


class TestPostgresLedger(PostgresContract):
    """The store on a server."""
