"""A ledger in a schema of a PostgreSQL database: the extra `trc-engage[postgres]`.

What it shares with other databases is in `..sql`; here is what PostgreSQL does in its own way. Read in
this order: `connection`, `schema`, `database`, `joined`, `errors`, and what is below.
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
        """Open the store at an address, laid out if it is not there, or join a caller's transaction.

        With `create=False` nothing is laid out where no store is, and `StoreMissing` is raised.

        With `connection`, all that is posted is committed or rolled back with the caller's transaction, which must
        be READ COMMITTED; one that has none (autocommit, outside a block) commits each call by itself. It is one of
        psycopg (also an `AsyncConnection`, while nothing else is awaited on it), of Django, or a `Connection` or
        `Session` of SQLAlchemy over psycopg. Nothing is laid out then, and other writers wait from the first posting
        until the commit; reads wait for nobody. An address opens up to
        `pool_size` connections, as they are needed, also by way of a pool that hands them out for one transaction
        each (PgBouncer); `prepare` keeps statements prepared on them, a little quicker where there is no such pool.
        Raises `InvalidValue`, `LedgerFailed` and `LedgerBusy`.
        """
        if connection is not None:
            return JoinedLedger.join(connection, schema)
        if dsn is None:
            raise InvalidValue("dsn", None, "name the database: postgresql://USER@HOST/DATABASE")
        database = PostgresDatabase(Address.parse(dsn, schema), size=pool_size, prepare=prepare)
        return cls._prepared(database, PostgresDatabase.make if create else PostgresDatabase.bring_up_to_date)

    @classmethod
    def open_read_only(cls, dsn: str, *, schema: str = SCHEMA, may_be_older: bool = False) -> Self:
        """Open a store that is there to look at it: nothing is made, migrated or written; raises `LedgerFailed`.

        One that an older version laid out is refused, unless it is only asked whether it is there.
        """
        database = PostgresDatabase(Address.parse(dsn, schema), size=POOL_SIZE, read_only=True)
        return cls._prepared(database, partial(PostgresDatabase.check, may_be_older=may_be_older))

    @staticmethod
    def migration(dsn: str, *, schema: str = SCHEMA) -> str:
        """Return the SQL that lays the store out or brings it up to date, to be run in one transaction.

        For a DBA, or a tool of your own such as Alembic; empty if there is nothing to do. Raises as `open` does.
        """
        with closing(PostgresDatabase(Address.parse(dsn, schema), size=1, read_only=True)) as database:
            return database.migration()


class JoinedLedger(PostgresLedger):
    """A store on a caller's connection: what is read of it is of one state, or is read again."""

    @classmethod
    def join(cls, connection: object, schema: str) -> Self:
        """Join the transaction of a connection; raises `InvalidValue` for one that cannot be joined."""
        driver = driver_of(connection)
        address = Address.of_connection(driver.info.host, driver.info.dbname, schema)
        return cls._prepared(JoinedDatabase(address, driver), JoinedDatabase.check)


for _name, _method in reading_whole(PostgresLedger).items():
    setattr(JoinedLedger, _name, _method)
