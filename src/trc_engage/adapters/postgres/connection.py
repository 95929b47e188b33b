"""Which server, database and schema; and a connection as `..sql` wants it: transactions, deadlines, values as texts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from time import monotonic
from typing import Any, TypeVar

import psycopg
from attrs import field, frozen
from psycopg import ProgrammingError, adapters, postgres
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row
from psycopg.types.numeric import IntLoader
from psycopg.types.string import TextLoader

from ...core.errors import InvalidValue
from ...core.validation import NO_ADDRESS, is_address, validate_address
from ..sql import Rows, Stamp, Statement, Values

DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 30,
    "fallback_application_name": "trc-engage",
}
"""So that a server that is gone without a word is noticed; what the address says goes first."""

NO_SCHEMA = "name a schema: lower-case letters, digits and _, at most 63, no digit first and not pg_ either"


@frozen
class Address:
    """Where a store is."""

    shown: str
    schema: str
    dsn: str = field(default="", repr=False)
    defaults: dict[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def parse(cls, dsn: str, schema: str) -> "Address":
        """Parse an address and a schema's name; raises `InvalidValue`."""
        _check(schema)
        found = _parted(dsn)
        user = f"{found['user']}@" if "user" in found else ""
        port = f":{found['port']}" if "port" in found else ""
        shown = f"postgresql://{user}{found.get('host', '')}{port}/{found.get('dbname', '')} (schema {schema})"
        return cls(shown, schema, dsn, {name: value for name, value in DEFAULTS.items() if name not in found})

    @classmethod
    def of_connection(cls, host: str, database: str, schema: str) -> "Address":
        """Return the address that a connection leads to; raises `InvalidValue`."""
        _check(schema)
        return cls(f"postgresql://{host}/{database} (schema {schema})", schema)

    @property
    def quoted_schema(self) -> str:
        """The schema as a statement names it."""
        return f'"{self.schema}"'

    @property
    def search_path(self) -> str:
        """What names are looked up in: temporary tables come last, so that nobody's stands before one of ours."""
        return f"{self.quoted_schema}, pg_temp"

    @property
    def lock_key(self) -> int:
        """What advisory locks of this store are called; they are of one database."""
        return int.from_bytes(sha256(f"trc-engage:{self.schema}".encode()).digest()[:8], "big", signed=True)

    @property
    def lock(self) -> str:
        """The statement that waits for all others who write; the lock goes with the transaction."""
        return f"SELECT pg_advisory_xact_lock({self.lock_key})"

    @property
    def begin_writing(self) -> tuple[str, ...]:
        """The statements that begin a write, once all others are done; the last returns the version first.

        Positions follow the last that was committed: those of a transaction that failed are given again, so that
        none is missing unless an entry is.
        """
        schema = self.quoted_schema
        version, last = (
            f"(SELECT {column} FROM {schema}.{table} ORDER BY {column} DESC LIMIT 1)"
            for column, table in (("version", "schema_migrations"), ("position", "entries"))
        )
        numbered = f"setval('{schema}.entries_position_seq', coalesce({last}, 0) + 1, false)"
        return self.lock, f"SELECT {version}, {numbered}, {KEPT}"


# Others see a commit as soon as it is one: it must not be lost then, or positions would be given twice (R23).
KEPT = """
CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END
"""


def _parted(dsn: str) -> dict[str, Any]:
    """Return what an address, or names with values, say; raises `InvalidValue`, which shows none of it."""
    if is_address(dsn):
        validate_address(dsn)
    try:
        found = dict(conninfo_to_dict(dsn))
    except ProgrammingError:
        # Its text shows a part of the address, which may be one of the password.
        raise InvalidValue("dsn", "…", NO_ADDRESS) from None
    if set("=@") & set(str(found.get("dbname", ""))):
        # Another address in place of a name, password and all.
        raise InvalidValue("dsn", "…", NO_ADDRESS)
    return found


def _check(schema: str) -> None:
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", schema):
        raise InvalidValue("schema", schema, NO_SCHEMA)


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
        "DateStyle": "ISO",
        "TimeZone": "UTC",
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


class InstantLoader(Loader):
    """An instant, under DateStyle ISO."""

    def load(self, data: Buffer) -> str:
        """Return the instant in UTC, as `stamp` writes it."""
        return datetime.fromisoformat(bytes(data).decode()).astimezone(UTC).isoformat(timespec="microseconds")


class StampDumper(Dumper):
    """An instant that goes in."""

    oid: int = postgres.types["timestamptz"].oid

    def dump(self, obj: str) -> Buffer:
        """Return the text, which names its offset."""
        return obj.encode()


def _adapters() -> AdaptersMap:
    ours = AdaptersMap(adapters)
    ours.register_dumper(Stamp, StampDumper)
    # Under DateStyle ISO.
    ours.register_loader("date", TextLoader)
    ours.register_loader("timestamptz", InstantLoader)
    # A sum is a decimal; all that is summed is whole.
    ours.register_loader("numeric", IntLoader)
    return ours


ADAPTERS = _adapters()
"""For our cursors alone: a caller's connection keeps its own."""

PLACEHOLDER = re.compile(r"'[^']*'|::|\?|:(\w+)|%")
"""A placeholder, or what looks like one and is none; quoted texts are passed over."""


class Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor with adapters of our own, whose answers are read under settings of ours."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection, row_factory=tuple_row)

    @property
    def adapters(self) -> AdaptersMap:
        """How values go in and come out."""
        return ADAPTERS


class ScriptCursor(Cursor, psycopg.ClientCursor[tuple[Any, ...]]):
    """One that sends many statements as one text."""


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

    def executemany(self, statement: str, values: Iterable[Values], /) -> Rows:
        cursor = self.cursor()
        cursor.executemany(translated(statement), values)
        return cursor

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        try:
            with self.driver.pipeline():
                return [self.cursor().execute(translated(statement), values) for statement, values in statements]
        except psycopg.errors.PipelineAborted as aborted:
            # It hides the error of the statement that failed, if the server was quick.
            raise aborted.__context__ or aborted from None

    def run(self, script: str) -> Any:
        """Run statements without values, sent at once, and return what the last one found first, if it looks."""
        cursor = self.cursor()
        cursor.execute(script)
        while cursor.nextset():
            pass
        return cursor.fetchone() if cursor.description else None

    def copy(self, target: str, rows: Iterable[Values]) -> None:
        """Write rows into a table, or into some of its columns."""
        with self.cursor().copy(f"COPY {target} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

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
        return super().execute_all([*self._opening, *statements, ("COMMIT", ())])[len(self._opening) : -1]


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
