"""A connection as the statements of `..sql` want it: transactions, deadlines, values in binary, staging."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from struct import Struct
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg import adapters, postgres
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.pq import Format
from psycopg.rows import tuple_row
from psycopg.types.numeric import NumericBinaryLoader

from ..sql.database import Connection, Rows, Stamp, Statement
from .address import Address

WAIT_SECONDS = 10.0
"""For a connection, and for another writer to be done."""
STATEMENT_SECONDS = 30
"""Longer than the wait for a lock, shorter than a web server waits for us."""
BULK_SECONDS = 300
"""For what moves or reads many rows. As long as a lease holds: what takes longer is lost anyway."""
LAYOUT_SECONDS = 3_600
"""For tables that are laid out or filled as a whole, with nobody else at work."""
IDLE_SECONDS = 60
"""A process that stops dead in a transaction must not hold up the others for ever."""

READ_ONE = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

PATIENCE = "SET LOCAL statement_timeout = '{seconds}s'"


def opening(begin: str, address: Address, *, path: str | None = None) -> tuple[str, ...]:
    """Return the statements that begin a transaction and set all that ours rely on until it ends."""
    values = {
        "search_path": path or address.search_path,
        "lock_timeout": f"{WAIT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "client_min_messages": "warning",
    }
    given = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())
    return (
        begin,
        # First, and by the quickest statement that there is: the limit that was left behind may be a millisecond.
        PATIENCE.format(seconds=STATEMENT_SECONDS),
        # The role that a connection came with, and not the one that its last user set.
        f"SELECT set_config('role', NULL, true), {given}",
    )


GRACE_SECONDS = 10
"""How much later than the server we give up: its own answer is the better one."""
LOOK_SECONDS = 0.1
"""How late we may be."""

Answer = TypeVar("Answer")


class Silent(psycopg.OperationalError):
    """The server owes an answer."""


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection on which every answer has a deadline; one that missed it is closed."""

    statement_seconds: float = STATEMENT_SECONDS

    @property
    def seconds_max(self) -> float:
        """How long an answer is waited for."""
        return self.statement_seconds + GRACE_SECONDS

    def wait(self, gen: PQGen[Answer], *_: Any, **__: Any) -> Answer:
        """Wait for an answer; raises `Silent`."""
        try:
            return super().wait(_limited(gen, self.seconds_max), LOOK_SECONDS)
        except Silent:
            self.pgconn.finish()
            raise


def _limited(gen: PQGen[Answer], seconds: float) -> PQGen[Answer]:
    """Pass on what is waited for, and give up when it is late."""
    until = monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if monotonic() > until:
                raise Silent(f"the server has not answered for {seconds:.0f} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        answer: Answer = end.value
        return answer


ORDINAL_2000 = date(2000, 1, 1).toordinal()
START_OF_2000 = datetime(2000, 1, 1, tzinfo=UTC)
DAYS = Struct("!i")
MICROSECONDS = Struct("!q")


class DayLoader(Loader):
    """A day, sent as days since 2000."""

    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        """Return the day as `2026-03-02`."""
        return date.fromordinal(DAYS.unpack(data)[0] + ORDINAL_2000).isoformat()


class InstantLoader(Loader):
    """An instant, sent as microseconds since 2000 UTC."""

    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        """Return the instant in UTC, as `stamp` writes it."""
        at = START_OF_2000 + timedelta(microseconds=MICROSECONDS.unpack(data)[0])
        return at.isoformat(timespec="microseconds")


class DayTextLoader(Loader):
    """A day as a text, under DateStyle ISO."""

    def load(self, data: Buffer) -> str:
        """Return the text."""
        return bytes(data).decode()


class InstantTextLoader(Loader):
    """An instant as a text, under DateStyle ISO."""

    def load(self, data: Buffer) -> str:
        """Return the instant in UTC, as `stamp` writes it."""
        return datetime.fromisoformat(bytes(data).decode()).astimezone(UTC).isoformat(timespec="microseconds")


class WholeTextLoader(Loader):
    """A sum as a text."""

    def load(self, data: Buffer) -> int:
        """Return the number."""
        return int(bytes(data))


class WholeLoader(NumericBinaryLoader):
    """A sum, which PostgreSQL makes a decimal; all that is summed is whole."""

    def load(self, data: Buffer) -> int:  # type: ignore[override]
        """Return the number."""
        return int(super().load(data))


class StampDumper(Dumper):
    """An instant that goes in."""

    oid: int = postgres.types["timestamptz"].oid

    def dump(self, obj: str) -> Buffer:
        """Return the text, which names its offset."""
        return obj.encode()


def _adapters() -> AdaptersMap:
    ours = AdaptersMap(adapters)
    ours.register_dumper(Stamp, StampDumper)
    ours.register_loader("date", DayLoader)
    ours.register_loader("timestamptz", InstantLoader)
    ours.register_loader("numeric", WholeLoader)
    ours.register_loader("date", DayTextLoader)
    ours.register_loader("timestamptz", InstantTextLoader)
    ours.register_loader("numeric", WholeTextLoader)
    return ours


ADAPTERS = _adapters()
"""For our cursors alone: a caller's connection keeps its own."""

PLACEHOLDER = re.compile(r"'[^']*'|::|\?|:(\w+)|%")
"""A placeholder, or what looks like one and is none; quoted texts are passed over."""


class Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor with adapters of our own, which reads binary: no setting of the connection changes what is read."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection, row_factory=tuple_row)
        self.format = psycopg.pq.Format.BINARY

    @property
    def adapters(self) -> AdaptersMap:
        """How values go in and come out."""
        return ADAPTERS


class ScriptCursor(psycopg.ClientCursor[tuple[Any, ...]]):
    """A cursor that sends many statements as one text; only under settings of ours may its answers be read."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection, row_factory=tuple_row)

    @property
    def adapters(self) -> AdaptersMap:
        """How values go in and come out."""
        return ADAPTERS


class PostgresConnection:
    """A connection while one caller has it."""

    IntegrityError = psycopg.IntegrityError

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver
        """psycopg's own connection."""
        self.staged: list[str] = []
        """The temporary tables that it has made."""

    def cursor(self) -> Cursor:
        """Return a cursor."""
        return Cursor(self.driver)

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        return self.cursor().execute(translated(statement), values)

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Rows:
        cursor = self.cursor()
        cursor.executemany(translated(statement), values)
        return cursor

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        return self.pipelined(statements)

    def pipelined(self, statements: Iterable[Statement]) -> Sequence[Cursor]:
        """Send statements at once, and return what each has found."""
        try:
            with self.driver.pipeline():
                return [self.cursor().execute(translated(statement), values) for statement, values in statements]
        except psycopg.errors.PipelineAborted as aborted:
            # It hides the error of the statement that failed, if the server was quick.
            raise aborted.__context__ or aborted from None

    def run(self, script: str) -> Any:
        """Run statements without values, sent at once, and return what the last one found first, if it looks."""
        cursor = self.cursor()
        cursor.format = psycopg.pq.Format.TEXT
        cursor.execute(script)
        while cursor.nextset():
            pass
        return cursor.fetchone() if cursor.description else None

    def extend_timeout(self, seconds: int, script: str = "SELECT") -> None:
        if isinstance(self.driver, DeadlineConnection):
            self.driver.statement_seconds = seconds
            script = f"{PATIENCE.format(seconds=seconds)}; {script}"
        self.run(script)


class AutocommitConnection(PostgresConnection):
    """One in which each statement stands alone: it is sent with the transaction around it, and answered at once."""

    def __init__(self, driver: psycopg.Connection[Any], opening: tuple[str, ...]) -> None:
        super().__init__(driver)
        self._opening = [(begins, ()) for begins in opening]

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        return self.execute_all([(statement, values)])[0]

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        return self.pipelined([*self._opening, *statements, ("COMMIT", ())])[len(self._opening) : -1]


@lru_cache(maxsize=1_024)
def translated(statement: str) -> str:
    """Write `?` and `:name` as psycopg has them."""
    return PLACEHOLDER.sub(_placeholder, statement)


def _placeholder(found: re.Match[str]) -> str:
    text = found[0]
    if text == "?":
        return "%s"
    if found[1]:
        return f"%({found[1]})s"
    return text.replace("%", "%%")


STAGE = """
CREATE TEMP TABLE engage_staged_moves (
    account_id BIGINT, version BIGINT, member_id TEXT COLLATE "C", status TEXT, next_reading TEXT,
    xp_baseline BIGINT, xp_total BIGINT, xp_high BIGINT, window_from TIMESTAMPTZ, rose_at TIMESTAMPTZ,
    kind TEXT, xp_before BIGINT, baseline_before BIGINT, silent BOOLEAN, points BIGINT, day DATE, month DATE,
    window_number BIGINT
) ON COMMIT DROP;
CREATE TEMP TABLE engage_staged_windows (
    window_number BIGINT, day DATE, opens_at TIMESTAMPTZ, closes_at TIMESTAMPTZ
) ON COMMIT DROP
"""

ROWS_TO_COPY = 100
"""From so many rows on it is quicker to copy them first."""


def stage(connection: Connection, moves: Iterable[Sequence[Any]], windows: Iterable[Sequence[Any]], /) -> None:
    """Make and fill the temporary tables."""
    mine = own(connection)
    mine.extend_timeout(BULK_SECONDS, STAGE)
    mine.staged += ["engage_staged_moves", "engage_staged_windows"]
    _copy(mine, "engage_staged_moves", moves)
    _copy(mine, "engage_staged_windows", windows)
    # Without it the planner takes few moves for many, and reads all accounts for them.
    mine.run("ANALYZE engage_staged_moves (account_id)")


def merge(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], conflict: str = "", /
) -> int:
    """Insert rows, many of them by way of a temporary table, and return how many were written."""
    names = ", ".join(columns)
    if len(rows) < ROWS_TO_COPY:
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}"
        return sum(written.rowcount for written in connection.execute_all([(insert, row) for row in rows]))
    mine, staged = own(connection), f"engage_staged_{table}"
    alike = f"SELECT {names} FROM {table} WITH NO DATA"
    mine.extend_timeout(BULK_SECONDS, f"CREATE TEMP TABLE {staged} ON COMMIT DROP AS {alike}")
    mine.staged.append(staged)
    _copy(mine, staged, rows)
    return connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged} {conflict}").rowcount


def fill(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
    """Write rows into an empty table, and let the numbers that it gives begin behind them."""
    mine = own(connection)
    # As long as it takes: nobody else is at work on a store that is being filled.
    mine.extend_timeout(LAYOUT_SECONDS)
    _copy(mine, f"{table} ({', '.join(columns)})", rows)
    number = columns[0]
    (sequence,) = connection.execute("SELECT pg_get_serial_sequence(?, ?)", [table, number]).fetchone()
    if sequence is not None:
        connection.execute(f"SELECT setval(?, max({number})) FROM {table} HAVING count(*) > 0", [sequence])


def own(connection: Connection) -> PostgresConnection:
    """Return a connection as what it is."""
    assert isinstance(connection, PostgresConnection)  # noqa: S101  this package makes no other
    return connection


def _copy(connection: PostgresConnection, target: str, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor().copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
