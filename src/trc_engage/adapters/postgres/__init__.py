"""A ledger in a schema of a PostgreSQL database; needs the extra `trc-engage[postgres]`.

The SQL shared with other databases is in `..sql`. Read in this order: `connection`, `schema`, `database`, `joined`,
`errors`, this module.
"""

from contextlib import closing
from functools import partial
from typing import Self, overload

from ...core.errors import InvalidValue
from ..sql.posting import SqlLedger
from .connection import Address
from .database import PostgresDatabase
from .joined import JoinedDatabase, driver_of, reading_whole

SCHEMA = "trc_engage"
POOL_SIZE = 4


class PostgresLedger(SqlLedger):
    """A store in PostgreSQL, safe to share between threads, processes and machines."""

    @overload
    @classmethod
    def open(
        cls, dsn: str, *, schema: str = ..., pool_size: int = ..., prepare: bool = ..., create: bool = ...
    ) -> Self: ...

    @overload
    @classmethod
    def open(cls, *, connection: object, schema: str = ...) -> "PostgresLedger": ...

    @classmethod
    def open(
        cls,
        dsn: str | None = None,
        *,
        connection: object = None,
        schema: str = SCHEMA,
        pool_size: int = POOL_SIZE,
        prepare: bool = False,
        create: bool = True,
    ) -> "PostgresLedger":
        """Open the store at an address, creating it if it is missing, or join a caller's transaction.

        With `create=False`, a missing store raises `StoreMissing` instead. Up to `pool_size` connections are opened as
        needed; the address may be that of a pool in transaction mode (PgBouncer). Without one, `prepare` is a little
        faster: it keeps prepared statements on the connections.

        With `connection`, postings commit or roll back with the caller's transaction, which must be READ COMMITTED;
        without a transaction (autocommit, outside a block), each call commits by itself. It can be a connection of
        psycopg (also an `AsyncConnection`, while nothing else is awaited on it), of Django, or a `Connection` or
        `Session` of SQLAlchemy over psycopg. No tables are created then. Other writers wait from the first posting
        until the commit; reads never wait. Raises `InvalidValue`, `LedgerFailed` and `LedgerBusy`.
        """
        if connection is not None and dsn is not None:
            raise InvalidValue("dsn", "…", "leave it out if you give a connection")
        if connection is not None:
            return JoinedLedger.join(connection, schema)
        if dsn is None:
            raise InvalidValue("dsn", None, "name the database: postgresql://USER@HOST/DATABASE")
        database = PostgresDatabase(Address.parse(dsn, schema), size=pool_size, prepare=prepare)
        return cls._prepared(database, PostgresDatabase.make if create else PostgresDatabase.bring_up_to_date)

    @classmethod
    def open_read_only(cls, dsn: str, *, schema: str = SCHEMA, may_be_older: bool = False) -> Self:
        """Open an existing store read-only: nothing is created, migrated or written; raises `LedgerFailed`.

        An older schema is refused unless `may_be_older`.
        """
        database = PostgresDatabase(Address.parse(dsn, schema), size=POOL_SIZE, read_only=True)
        return cls._prepared(database, partial(PostgresDatabase.check, may_be_older=may_be_older))

    @staticmethod
    def migration(dsn: str, *, schema: str = SCHEMA) -> str:
        """Return the SQL that creates the store or brings it up to date, to be run in one transaction.

        For a DBA or a tool such as Alembic; empty if there is nothing to do. Raises as `open` does.
        """
        with closing(PostgresDatabase(Address.parse(dsn, schema), size=1, read_only=True)) as database:
            return database.migration()


class JoinedLedger(PostgresLedger):
    """A store on a caller's connection, which repeats reads that did not see one snapshot."""

    @classmethod
    def join(cls, connection: object, schema: str) -> Self:
        """Join the transaction of a connection; raises `InvalidValue` for one that cannot be joined."""
        driver = driver_of(connection)
        address = Address.of_connection(driver.info.host, driver.info.dbname, schema)
        return cls._prepared(JoinedDatabase(address, driver), JoinedDatabase.check)


for _name, _method in reading_whole(PostgresLedger).items():
    setattr(JoinedLedger, _name, _method)
