"""Addresses of stores, and connections as `..sql` needs them: settings, deadlines, and days and instants as text."""

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
"""Detect a server that silently went away; the address's own parameters take precedence."""

NO_SCHEMA = "name a schema: lower-case letters, digits and _, at most 63, no digit first and not pg_ either"


@frozen
class Address:
    """The address of a store."""

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
        """Return the address of a store on a connection; raises `InvalidValue`."""
        _check(schema)
        return cls(f"postgresql://{host}/{database} (schema {schema})", schema)

    @property
    def quoted_schema(self) -> str:
        """The schema, quoted for SQL."""
        return f'"{self.schema}"'

    @property
    def search_path(self) -> str:
        """The search path: temporary tables come last, so that none hides a table of the store."""
        return f"{self.quoted_schema}, pg_temp"

    @property
    def lock_key(self) -> int:
        """The key of this store's advisory locks, which belong to one database."""
        return int.from_bytes(sha256(f"trc-engage:{self.schema}".encode()).digest()[:8], "big", signed=True)

    @property
    def lock(self) -> str:
        """The statement that waits for all other writers; the lock ends with the transaction."""
        return f"SELECT pg_advisory_xact_lock({self.lock_key})"

    @property
    def begin_writing(self) -> tuple[str, ...]:
        """The statements that begin a write after all other writers; the last returns the schema version first.

        Positions continue from the last committed one, reusing those of failed transactions, so a gap means that an
        entry is missing.
        """
        schema = self.quoted_schema
        version, last = (
            f"(SELECT {column} FROM {schema}.{table} ORDER BY {column} DESC LIMIT 1)"
            for column, table in (("version", "schema_migrations"), ("position", "entries"))
        )
        numbered = f"setval('{schema}.entries_position_seq', coalesce({last}, 0) + 1, false)"
        return self.lock, f"SELECT {version}, {numbered}, {KEPT}"


# A commit that others have seen must not be lost, or its positions would be reused (R23).
KEPT = """
CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END
"""


def _parted(dsn: str) -> dict[str, Any]:
    """Return the parameters of a URL or of `key=value` pairs; raises `InvalidValue`, which shows no part of it."""
    if is_address(dsn):
        validate_address(dsn)
    try:
        found = dict(conninfo_to_dict(dsn))
    except ProgrammingError:
        # Its message shows part of the address, perhaps of the password.
        raise InvalidValue("dsn", "…", NO_ADDRESS) from None
    if set("=@") & set(str(found.get("dbname", ""))):
        # The database's name is itself an address, perhaps with a password.
        raise InvalidValue("dsn", "…", NO_ADDRESS)
    return found


def _check(schema: str) -> None:
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", schema):
        raise InvalidValue("schema", schema, NO_SCHEMA)


WAIT_SECONDS = 10.0
"""The wait for a connection, and for another writer."""
STATEMENT_SECONDS = 30
"""Longer than the wait for a lock, shorter than a web server's timeout."""
BULK_SECONDS = 300
"""For statements over many rows. As long as a lease, without which longer work would be lost anyway."""
LAYOUT_SECONDS = 3_600
"""For creating or filling whole tables while nothing else runs."""
IDLE_SECONDS = 60
"""A process that hangs in a transaction must not block the others forever."""

READ_ONE = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

PATIENCE = "SET LOCAL statement_timeout = '{seconds}s'"


def opening(begin: str, address: Address, *, path: str | None = None) -> tuple[str, ...]:
    """Return the statements that begin a transaction with all settings that ours rely on."""
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
        # First, and with the fastest possible statement, because the limit left behind may be a millisecond.
        PATIENCE.format(seconds=STATEMENT_SECONDS),
        # The connection's original role, not one that its last user set.
        f"SELECT set_config('role', NULL, true), {given}",
    )


GRACE_SECONDS = 10
"""How much longer than the server we wait, because its own error is better."""
LOOK_SECONDS = 0.1
"""How often to check the deadline."""

Answer = TypeVar("Answer")


class Silent(psycopg.OperationalError):
    """The server did not answer in time."""


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection on which every answer has a deadline; one that missed it is closed."""

    statement_seconds: float = STATEMENT_SECONDS

    @property
    def seconds_max(self) -> float:
        """How long to wait for an answer."""
        return self.statement_seconds + GRACE_SECONDS

    def wait(self, gen: PQGen[Answer], *_: Any, **__: Any) -> Answer:
        """Wait for an answer; raises `Silent`."""
        try:
            return super().wait(_limited(gen, self.seconds_max), LOOK_SECONDS)
        except Silent:
            self.pgconn.finish()
            raise


def _limited(gen: PQGen[Answer], seconds: float) -> PQGen[Answer]:
    """Run a generator of psycopg, and raise `Silent` after the deadline."""
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
    """Loads an instant, given DateStyle ISO."""

    def load(self, data: Buffer) -> str:
        """Return the instant in UTC, as `stamp` writes it."""
        return datetime.fromisoformat(bytes(data).decode()).astimezone(UTC).isoformat(timespec="microseconds")


class StampDumper(Dumper):
    """Dumps an instant."""

    oid: int = postgres.types["timestamptz"].oid

    def dump(self, obj: str) -> Buffer:
        """Return the text, which includes its offset."""
        return obj.encode()


def _adapters() -> AdaptersMap:
    ours = AdaptersMap(adapters)
    ours.register_dumper(Stamp, StampDumper)
    # Given DateStyle ISO.
    ours.register_loader("date", TextLoader)
    ours.register_loader("timestamptz", InstantLoader)
    # A sum is numeric, but only whole numbers are summed.
    ours.register_loader("numeric", IntLoader)
    return ours


ADAPTERS = _adapters()
"""For our cursors only; a caller's connection keeps its own."""

PLACEHOLDER = re.compile(r"'[^']*'|::|\?|:(\w+)|%")
"""A placeholder, or something that only looks like one; quoted texts are skipped."""


class Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor with our own adapters, which rely on our settings."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection, row_factory=tuple_row)

    @property
    def adapters(self) -> AdaptersMap:
        """Our own adapters."""
        return ADAPTERS


class ScriptCursor(Cursor, psycopg.ClientCursor[tuple[Any, ...]]):
    """A cursor that sends many statements as one text."""


class PostgresConnection:
    """A connection, checked out by one caller."""

    IntegrityError = psycopg.IntegrityError

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver
        """psycopg's own connection."""
        self.staged: list[str] = []
        """The temporary tables it has created."""

    def cursor(self) -> Cursor:
        """Return a new cursor."""
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
            # It may hide the error of the statement that failed.
            raise aborted.__context__ or aborted from None

    def run(self, script: str) -> Any:
        """Run statements without parameters in one message; return the last one's first row, if it returns rows."""
        cursor = self.cursor()
        cursor.execute(script)
        while cursor.nextset():
            pass
        return cursor.fetchone() if cursor.description else None

    def copy(self, target: str, rows: Iterable[Values]) -> None:
        """Copy rows into a table, or into some of its columns."""
        with self.cursor().copy(f"COPY {target} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def extend_timeout(self, seconds: int, script: str = "SELECT") -> None:
        if isinstance(self.driver, DeadlineConnection):
            self.driver.statement_seconds = seconds
            script = f"{PATIENCE.format(seconds=seconds)}; {script}"
        self.run(script)


class AutocommitConnection(PostgresConnection):
    """A connection that sends each statement together with its own transaction, in one round trip."""

    def __init__(self, driver: psycopg.Connection[Any], opening: tuple[str, ...]) -> None:
        super().__init__(driver)
        self._opening = [(begins, ()) for begins in opening]

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        return self.execute_all([(statement, values)])[0]

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        return super().execute_all([*self._opening, *statements, ("COMMIT", ())])[len(self._opening) : -1]


@lru_cache(maxsize=1_024)
def translated(statement: str) -> str:
    """Return a statement with psycopg's placeholders instead of `?` and `:name`."""
    return PLACEHOLDER.sub(_placeholder, statement)


def _placeholder(found: re.Match[str]) -> str:
    text = found[0]
    if text == "?":
        return "%s"
    if found[1]:
        return f"%({found[1]})s"
    return text.replace("%", "%%")
