"""A store inside the caller's own transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from inspect import isfunction
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from ...core.errors import Conflict, InvalidValue, LedgerBusy, LedgerFailed
from ..sql import Connection, Rows, Statement, refuse_other
from ..sql.posting import SqlLedger
from ..sql.schema import SCHEMA_VERSION
from .connection import WAIT_SECONDS, Address, Cursor, PostgresConnection, ScriptCursor, translated
from .database import PostgresShared
from .errors import translated_errors
from .schema import missing

TO_READ = {"DateStyle": "ISO", "TimeZone": "UTC"}
TO_WRITE = {"lock_timeout": f"{WAIT_SECONDS}s", "client_min_messages": "warning", **TO_READ}
NAMES = ("search_path", *TO_WRITE)
THEIRS = ", ".join(f"current_setting('{name}')" for name in NAMES)
LEAVE = "SELECT " + ", ".join(f"set_config('{name}', ?, true)" for name in NAMES)
SEEN = "CAST(pg_current_snapshot() AS TEXT)"
"""The snapshot of a statement, which changes as soon as any transaction commits."""


class Found:
    """The result of one statement of a script."""

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
    """A caller's connection with our settings; `execute_all` sends one text, which is the fastest way."""

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        cursor, texts, given = ScriptCursor(self.driver), list[str](), list[Any]()
        for text, values in statements:
            if isinstance(values, Mapping):
                # Another statement may use the same names for other values.
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
    """Writes on a caller's connection; the opening statements are sent with the first of them."""

    def __init__(self, driver: psycopg.Connection[Any], address: Address, enter: Sequence[Statement]) -> None:
        super().__init__(driver)
        self._address = address
        self.around: Around = Around(driver)
        self._unsent: Sequence[Statement] = [(self.around.begin, ()), *enter]
        self._theirs: Sequence[str] = ()
        """The caller's settings."""

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
        """Restore the caller's settings and release the savepoint."""
        staged = [(f"DROP TABLE pg_temp.{table}", ()) for table in self.staged]
        if self._unsent:
            self.execute_all()
        super().execute_all([*staged, (LEAVE, self._theirs), (self.around.keep, ())])

    def check_isolation(self, isolation: str) -> None:
        """Raise `LedgerFailed` for a transaction that cannot see others' commits."""
        if isolation != "read committed":
            raise LedgerFailed(
                f"{self._address.shown}: your transaction is {isolation.upper()} and cannot see what others commit; "
                "join the store from one that is READ COMMITTED"
            )


class Torn(Exception):
    """Another transaction committed during a read, which may have seen two states."""


class JoinedReads(JoinedConnection):
    """Reads on a caller's connection, which never wait.

    Each batch is sent in one message, inside a savepoint that is then undone, and sees one state. If no one is
    writing, a shared lock, taken without waiting, keeps writers out; otherwise `is_torn` says afterwards whether the
    reads may differ. With `is_whole` false, each statement stands alone.
    """

    def __init__(self, driver: psycopg.Connection[Any], enter: str, *, is_whole: bool = False) -> None:
        super().__init__(driver)
        self._enter = enter
        self._is_whole = is_whole
        self._seen: set[str] = set()
        self._batches: list[bool] = []
        """For each batch, whether the lock kept writers out."""

    @property
    def is_torn(self) -> bool:
        """Whether the reads may have seen more than one state."""
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
    "give a connection of psycopg 3, Django's `connection`, or a `Connection` or `Session` of SQLAlchemy over "
    "postgresql+psycopg:// (of an async session what `await session.connection()` returns); no other can be joined"
)


class Borrowed(psycopg.Connection[Any]):
    """The connection under an `AsyncConnection`, used by one thread while its owner awaits that."""

    @classmethod
    def of(cls, owner: psycopg.AsyncConnection[Any]) -> "Borrowed":
        """Borrow an owner's connection, keeping its handlers."""
        handlers = owner.pgconn.notice_handler, owner.pgconn.notify_handler
        borrowed = cls(owner.pgconn)
        owner.pgconn.notice_handler, owner.pgconn.notify_handler = handlers
        # Set the attributes directly: the setters refuse within a transaction. So our BEGIN equals theirs.
        for name in ("_autocommit", "_isolation_level", "_read_only", "_deferrable"):
            setattr(borrowed, name, getattr(owner, name))
        return borrowed

    def __del__(self, *_: Any) -> None:
        """Do nothing: the owner closes it."""


def driver_of(given: Any) -> psycopg.Connection[Any]:
    """Return the psycopg connection behind a caller's object; raises `InvalidValue`, which shows only its type."""
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
            # Without autocommit, the driver begins the caller's transaction first.
            begin, keep = "SAVEPOINT trc_engage", "RELEASE SAVEPOINT trc_engage"
            undo = ["ROLLBACK TO SAVEPOINT trc_engage", keep]
        self.begin: str = begin
        self.keep: str = keep
        self.undo: list[Statement] = [(statement, ()) for statement in undo]

    @contextmanager
    def undone_if_failed(self) -> Iterator[None]:
        """Undo the work in the caller's transaction if anything raises."""
        try:
            yield
        except BaseException:
            # The server itself rolls back a lost connection.
            with suppress(psycopg.OperationalError):
                if self._driver.info.transaction_status != TransactionStatus.IDLE:
                    PostgresConnection(self._driver).run("; ".join(statement for statement, _ in self.undo))
            raise


class JoinedDatabase(PostgresShared):
    """A caller's connection, on which writes commit or roll back with the caller's own.

    Each call is a savepoint, so a call that raises changes nothing and the transaction goes on. The connection's
    settings and adapters stay unchanged. After a write, other writers wait until the caller commits.
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

    def close(self) -> None:
        """Release the connection, which stays open."""
        self._connection = None

    def wipe(self, tables: Sequence[str], /) -> None:
        raise LedgerBusy(f"it is done in your transaction; after it, VACUUM (FULL) {', '.join(tables)}")

    def extend_timeout(self, connection: Connection, /) -> None:
        """Do nothing: the caller's connection keeps its limits."""

    @contextmanager
    def connection(self) -> Iterator[JoinedReads]:
        """Use the connection so that each statement sees the commits so far and the caller's own writes."""
        with self._entered() as driver:
            yield JoinedReads(driver, self._read)

    @contextmanager
    def snapshot(self) -> Iterator[JoinedReads]:
        """Use the connection for reads of one snapshot; raises `Torn` if they may have seen more than one."""
        with self._entered() as driver:
            connection = JoinedReads(driver, self._read_whole, is_whole=True)
            yield connection
            if connection.is_torn:
                raise Torn

    @contextmanager
    def transaction(self) -> Iterator[PostgresConnection]:
        """Use the connection for writes that all commit with the caller's transaction, or are undone on an error."""
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
    """Prepare no statements on a caller's connection, which a pool may hand to others."""
    threshold, connection.prepare_threshold = connection.prepare_threshold, None
    try:
        yield
    finally:
        connection.prepare_threshold = threshold


Method = TypeVar("Method", bound=Callable[..., Any])


def _until_whole(method: Method) -> Method:
    """Retry a torn read for as long as a call would otherwise wait for other writers."""

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
    """Return a ledger's methods, each retried until it has read one state."""
    names = [name for name in dir(ledger) if not name.startswith("_") and isfunction(getattr(ledger, name))]
    return {name: _until_whole(getattr(ledger, name)) for name in names}
