"""A store inside the caller's own transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from inspect import isfunction
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from ...core.errors import Conflict, InvalidValue, LedgerBusy, LedgerFailed, StoreMissing, StoreOutdated
from ..sql import Connection, Rows, Statement, refuse_other
from ..sql.posting import SqlLedger
from ..sql.schema import SCHEMA_VERSION
from .connection import WAIT_SECONDS, Address, Cursor, PostgresConnection, ScriptCursor, translated
from .database import PostgresShared
from .errors import translated_errors
from .schema import missing, version_of

TO_READ = {"DateStyle": "ISO", "TimeZone": "UTC"}
TO_WRITE = {"lock_timeout": f"{WAIT_SECONDS}s", "client_min_messages": "warning", **TO_READ}
NAMES = ("search_path", *TO_WRITE)
THEIRS = ", ".join(f"current_setting('{name}')" for name in NAMES)
LEAVE = "SELECT " + ", ".join(f"set_config('{name}', ?, true)" for name in NAMES)
SEEN = "CAST(pg_current_snapshot() AS TEXT)"
"""Which transactions' work a statement sees; it is another one as soon as any has been committed."""


class Found:
    """What a statement of a script has found."""

    def __init__(self, cursor: ScriptCursor) -> None:
        self.rowcount: int = cursor.rowcount
        found = cursor.pgresult
        self._rows: Iterator[tuple[Any, ...]] = iter(cursor.fetchall() if found and found.nfields else ())

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [*self._rows]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows


class JoinedConnection(PostgresConnection):
    """A caller's connection under settings of ours; what is executed at once is one text, the quickest there is."""

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        cursor, texts, given = ScriptCursor(self.driver), list[str](), list[Any]()
        for text, values in statements:
            if isinstance(values, Mapping):
                # Another statement may mean other values by the same names.
                texts.append(cursor.mogrify(translated(text), values).replace("%", "%%"))
            else:
                texts.append(translated(text))
                given += values
        cursor.execute("; ".join(texts), given)
        found = [Found(cursor)]
        while cursor.nextset():
            found.append(Found(cursor))
        return found


class JoinedWrites(JoinedConnection):
    """Writes on a caller's connection; how they begin is sent with the first of them."""

    def __init__(self, driver: psycopg.Connection[Any], address: Address, enter: Sequence[Statement]) -> None:
        super().__init__(driver)
        self._address = address
        self.around: Around = Around(driver)
        self._unsent: Sequence[Statement] = [(self.around.begin, ()), *enter]
        self._theirs: Sequence[str] = ()
        """The settings that were the caller's."""

    def execute_all(self, statements: Iterable[Statement] = (), /) -> Sequence[Rows]:
        unsent, self._unsent = self._unsent, ()
        found = super().execute_all([*unsent, *statements])
        if unsent:
            (isolation, *theirs), (version, *_) = (one.fetchone() for one in found[1:3])
            self.check_isolation(isolation)
            refuse_other(self._address.shown, version, SCHEMA_VERSION)
            self._theirs = theirs[: len(NAMES)]
        return found[len(unsent) :]

    def cursor(self) -> Cursor:
        if self._unsent:
            self.execute_all()
        return super().cursor()

    def leave(self) -> None:
        """Put all back as the caller had it."""
        staged = [(f"DROP TABLE pg_temp.{table}", ()) for table in self.staged]
        if self._unsent:
            self.execute_all()
        super().execute_all([*staged, (LEAVE, self._theirs), (self.around.keep, ())])

    def check_isolation(self, isolation: str) -> None:
        """Raise `LedgerFailed` for a transaction that does not see what others commit."""
        if isolation != "read committed":
            raise LedgerFailed(
                f"{self._address.shown}: your transaction is {isolation.upper()} and cannot see what others commit; "
                "join the store from one that is READ COMMITTED"
            )


class Torn(Exception):
    """Somebody committed in the middle of a read, which has so seen two states."""


class JoinedReads(JoinedConnection):
    """Reads on a caller's connection, which wait for nobody.

    Whatever is executed at once is sent at once, with a savepoint around it that is undone, and sees one state. If
    nobody is writing, a lock that is not waited for keeps it so; else `is_torn` tells afterwards. With `is_whole` false
    each statement stands alone, and nothing is to be told.
    """

    def __init__(self, driver: psycopg.Connection[Any], enter: str, *, is_whole: bool = False) -> None:
        super().__init__(driver)
        self._enter = enter
        self._is_whole = is_whole
        self._seen: set[str] = set()
        self._batches: list[bool] = []
        """Of each, whether nobody could write meanwhile."""

    @property
    def is_torn(self) -> bool:
        """Whether what was read is perhaps not of one state."""
        return len(self._seen) > 1 and self._batches != [True]

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        return self.execute_all([(statement, values)])[0]

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        around = Around(self.driver)
        after = [(f"SELECT {SEEN}", ()), *around.undo] if self._is_whole else around.undo
        with around.undone_if_failed():
            sent = [(around.begin, ()), (self._enter, ()), *statements, *after]
            _, entered, *found = super().execute_all(sent)
        if self._is_whole:
            is_locked, seen, *_ = entered.fetchone() or (False, "")
            self._batches.append(is_locked)
            self._seen |= {seen, *(found[-len(after)].fetchone() or ())}
        return found[: -len(after)]


HAND_OVER = (
    "hand over a connection of psycopg 3, Django's `connection`, or a `Connection` or `Session` of SQLAlchemy over "
    "postgresql+psycopg:// (of an async session what `await session.connection()` returns); no other can be joined"
)


class Borrowed(psycopg.Connection[Any]):
    """What an `AsyncConnection` leads to, used by one thread while its owner awaits that."""

    @classmethod
    def of(cls, owner: psycopg.AsyncConnection[Any]) -> "Borrowed":
        """Use the connection of an owner, whose handlers stay."""
        handlers = owner.pgconn.notice_handler, owner.pgconn.notify_handler
        borrowed = cls(owner.pgconn)
        owner.pgconn.notice_handler, owner.pgconn.notify_handler = handlers
        # Of the attributes themselves, for none may be set within a transaction; a BEGIN of ours is as theirs.
        for name in ("_autocommit", "_isolation_level", "_read_only", "_deferrable"):
            setattr(borrowed, name, getattr(owner, name))
        return borrowed

    def __del__(self, *_: Any) -> None:
        """Do nothing: the owner closes it."""


def driver_of(given: Any) -> psycopg.Connection[Any]:
    """Return psycopg's connection behind what a caller holds; raises `InvalidValue`, which shows its type alone."""
    found = getattr(given, "sync_connection", given)
    if hasattr(found, "ensure_connection"):
        found.ensure_connection()
        found = found.connection
    elif callable(getattr(found, "connection", None)) and not hasattr(found, "sync_session"):
        found = found.connection()
    if hasattr(getattr(found, "connection", None), "driver_connection"):
        found = found.connection.driver_connection
    if isinstance(found, psycopg.AsyncConnection):
        return Borrowed.of(found)
    if isinstance(found, psycopg.Connection):
        return found
    kinds = [f"{type(one).__module__.partition('.')[0]}.{type(one).__qualname__}" for one in (given, found)]
    raise InvalidValue("connection", " over ".join(dict.fromkeys(kinds)), HAND_OVER)


class Around:
    """Isolates work on a caller's connection: in a savepoint, or in a transaction if there is none."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._driver = driver
        if driver.autocommit and driver.info.transaction_status == TransactionStatus.IDLE:
            begin, keep, undo = "BEGIN", "COMMIT", ["ROLLBACK"]
        else:
            # Without autocommit the driver begins the caller's transaction before this one.
            begin, keep = "SAVEPOINT trc_engage", "RELEASE SAVEPOINT trc_engage"
            undo = ["ROLLBACK TO SAVEPOINT trc_engage", keep]
        self.begin: str = begin
        self.keep: str = keep
        self.undo: list[Statement] = [(statement, ()) for statement in undo]

    @contextmanager
    def undone_if_failed(self) -> Iterator[None]:
        """Leave the caller's transaction as it was if anything raises."""
        try:
            yield
        except BaseException:
            # A connection that is lost is rolled back by the server.
            with suppress(psycopg.OperationalError):
                if self._driver.info.transaction_status != TransactionStatus.IDLE:
                    PostgresConnection(self._driver).run("; ".join(statement for statement, _ in self.undo))
            raise


class JoinedDatabase(PostgresShared):
    """A caller's connection: what is written here is committed or rolled back with all else that is done on it.

    Each call is a savepoint, so that one that raised has changed nothing and the transaction goes on; settings and
    adapters of the connection stay as they are. After a write, other writers wait until the caller commits.
    """

    def __init__(self, address: Address, connection: psycopg.Connection[Any]) -> None:
        super().__init__(address)
        self._connection: psycopg.Connection[Any] | None = connection
        ours, read = (
            ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())
            for values in ({"search_path": address.search_path, **one} for one in (TO_WRITE, TO_READ))
        )
        self._read = f"SELECT {read}"
        self._read_whole = f"SELECT pg_try_advisory_xact_lock_shared({address.lock_key}), {SEEN}, {read}"
        lock, check = address.begin_writing
        # Entering waits for all other writers.
        enter = f"SELECT current_setting('transaction_isolation'), {THEIRS}, {ours}, ({lock})"
        self._write: Sequence[Statement] = ((enter, ()), (check, ()))

    def check(self) -> None:
        """Raise `StoreMissing` or `LedgerFailed` unless the tables are there and up to date; none is laid out here."""
        with self.connection() as connection:
            version = version_of(connection, self._address)
        if version != SCHEMA_VERSION:
            message = (
                f"{self.address}: the store is not laid out for this version; run `trc-engage init` or `trc-engage "
                "migrate`, or open it once by its address, before you join it"
            )
            raise StoreMissing(message) if version is None else StoreOutdated(message)

    def close(self) -> None:
        """Let go of the connection, which stays open."""
        self._connection = None

    def wipe(self, tables: Sequence[str], /) -> None:
        raise LedgerBusy(f"it is done in your transaction; after it, VACUUM (FULL) {', '.join(tables)}")

    def extend_timeout(self, connection: Connection, /) -> None:
        """Do nothing: the caller's connection keeps its limits."""

    @contextmanager
    def connection(self) -> Iterator[JoinedReads]:
        """Use the connection so that each statement sees what was committed by then, and what the caller did."""
        with self._entered() as driver:
            yield JoinedReads(driver, self._read)

    @contextmanager
    def snapshot(self) -> Iterator[JoinedReads]:
        """Use the connection so that all reads see one state; raises `Torn` if they did not."""
        with self._entered() as driver:
            connection = JoinedReads(driver, self._read_whole, is_whole=True)
            yield connection
            if connection.is_torn:
                raise Torn

    @contextmanager
    def transaction(self) -> Iterator[PostgresConnection]:
        """Use the connection for what is committed with the caller's transaction, all of it or nothing."""
        with self._entered() as driver:
            connection = JoinedWrites(driver, self._address, self._write)
            try:
                with connection.around.undone_if_failed():
                    yield connection
                    connection.leave()
            except Conflict:
                # A transaction that cannot see others' commits is an error that a retry does not fix.
                connection.check_isolation(*PostgresConnection(driver).run("SHOW transaction_isolation"))
                raise

    @contextmanager
    def _entered(self) -> Iterator[psycopg.Connection[Any]]:
        driver = self._open_connection()
        with (
            translated_errors(self.address, lambda: missing(JoinedReads(driver, self._read), self._address)),
            _unprepared(driver),
        ):
            yield driver

    def _open_connection(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            raise LedgerFailed(f"{self.address} is closed; open it again")
        if self._connection.info.transaction_status == TransactionStatus.INERROR:
            raise LedgerFailed(f"{self.address}: your transaction has failed before; roll it back first")
        return self._connection


@contextmanager
def _unprepared(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Leave no prepared statement of ours on a caller's connection, which a pool may hand to others."""
    threshold, connection.prepare_threshold = connection.prepare_threshold, None
    try:
        yield
    finally:
        connection.prepare_threshold = threshold


Method = TypeVar("Method", bound=Callable[..., Any])


def _until_whole(method: Method) -> Method:
    """Read again what was torn, for as long as others are waited for elsewhere."""

    @wraps(method)
    def read(*values: Any, **options: Any) -> Any:
        until = monotonic() + WAIT_SECONDS
        while True:
            try:
                return method(*values, **options)
            except Torn as torn:
                if monotonic() > until:
                    raise LedgerBusy(
                        f"{values[0].address}: others write to it without a pause; nothing was read: try again"
                    ) from torn

    return read  # type: ignore[return-value]


def reading_whole(ledger: type[SqlLedger]) -> dict[str, Any]:
    """Return the methods of a ledger, each of which reads one state."""
    names = [name for name in dir(ledger) if not name.startswith("_") and isfunction(getattr(ledger, name))]
    return {name: _until_whole(getattr(ledger, name)) for name in names}
