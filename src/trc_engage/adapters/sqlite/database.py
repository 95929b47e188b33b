"""Connections to the one file, and staging; every foreign error is translated."""

import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

from ...core.errors import InvalidValue, LedgerBusy, LedgerFailed, StoreMissing
from ..sql import Connection, Database, Statement, Values, refuse_other
from ..sql.pool import Pool
from ..sql.queries import Days, Facts
from ..sql.schema import SCHEMA_VERSION, STAGED_MOVES, STAGED_WINDOWS
from ..sql.views import Views
from .schema import WORDS, check_released, migrate, refuse_other_programs

OWNER_ONLY = 0o600
TRIES = 5
MOVED = "the file was moved or replaced meanwhile; nothing was written: try again"

Identity = tuple[int, int]
"""Device and inode, which no other file gets while this one is open."""


class FileConnection(sqlite3.Connection):
    """A connection as `..sql` needs it."""

    identity: Identity | None = None
    """The file that it has open."""

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[sqlite3.Cursor]:
        return [self.execute(statement, values) for statement, values in statements]


def identity_of(path: Path) -> Identity | None:
    """Return which file a path leads to now; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  with each checkout, and a path's own is twice as slow
    except OSError:
        return None
    return found.st_dev, found.st_ino


def make_file(path: Path) -> None:
    """Create an empty file that only its owner can read, if there is none; SQLite's journal gets the same mode.

    If root creates it, it is given to the folder's owner, who can then open the store later.
    """
    if os.path.lexists(path) and path.exists():
        return
    try:
        descriptor = os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    except FileExistsError:
        return
    try:
        # The umask may have cleared bits; some file systems have no modes.
        with suppress(PermissionError):
            os.fchmod(descriptor, OWNER_ONLY)
            if os.geteuid() == 0:
                folder = path.resolve().parent.stat()
                os.fchown(descriptor, folder.st_uid, folder.st_gid)
    finally:
        os.close(descriptor)


def connected(path: Path, busy_seconds: float) -> FileConnection:
    """Open an existing file, and be sure which one it is; raises `sqlite3.Error` and `LedgerBusy`."""
    _refuse_what_is_no_file(path)
    for _ in range(TRIES):
        before = identity_of(path)
        connection = sqlite3.connect(
            f"file://{quote(os.fsencode(path))}?mode=rw",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=FileConnection,
        )
        connection.identity = before
        if identity_of(path) == before:
            return connection
        connection.close()
    raise LedgerBusy(f"{path}: {MOVED}")


def _refuse_what_is_no_file(path: Path) -> None:
    """Raise `LedgerFailed` for a device, a pipe or a socket; SQLite itself refuses a folder."""
    with suppress(OSError):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise LedgerFailed(f"{path}: it is not a file but a device, a pipe or a socket; name a file")


MOVES, DAYS = STAGED_MOVES.format_map(WORDS), STAGED_WINDOWS.format_map(WORDS)
STAGE = (
    f"CREATE TEMP TABLE IF NOT EXISTS engage_staged_moves ({MOVES}, PRIMARY KEY (account_id))",
    f"CREATE TEMP TABLE IF NOT EXISTS engage_staged_windows ({DAYS}, PRIMARY KEY (window_number, day)) WITHOUT ROWID",
    "DELETE FROM engage_staged_moves",
    "DELETE FROM engage_staged_windows",
)
STAGE_MOVE = f"INSERT INTO engage_staged_moves VALUES ({', '.join('?' for _ in MOVES.split(','))})"


BUSY_SECONDS = 10.0
CACHE_KIB = 32 * 1024
TO_READ = ("query_only = ON", "temp_store = MEMORY")
# `secure_delete`, because erased data must not stay in freed pages.
TO_WRITE = (
    *("journal_mode = TRUNCATE", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"),
    *("temp_store = MEMORY", f"cache_size = -{CACHE_KIB}"),
)
APPLIED = "SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'trc-engage'"
POOL_SIZE = 100
"""More than any program has threads, so that callers wait only for the file itself."""

# The key begins with the day; the cross join makes SQLite look up each day instead of reading everyone's.
DISCORD_EVIDENCE = """
WITH RECURSIVE bounds (first, last) AS (
    SELECT max(:first, (SELECT min(day) FROM discord_days)), min(:last, (SELECT max(day) FROM discord_days))
), calendar (day) AS (
    SELECT first FROM bounds WHERE first <= last
    UNION ALL
    SELECT date(day, '+1 day') FROM calendar WHERE day < (SELECT last FROM bounds)
)
SELECT day, account_id, opens_at, closes_at
FROM calendar CROSS JOIN discord_days USING (day)
WHERE member_id = :member
"""


class SqliteDatabase(Database):
    """A pool of connections to one file, each used by one thread at a time.

    In simulated power cuts, TRUNCATE with synchronous FULL lost no acknowledged commit (WAL with NORMAL did).
    Every writing transaction begins IMMEDIATE, because one that reads first and writes later would fail at once if
    another wrote in between, whatever the timeout.
    """

    discord_evidence = DISCORD_EVIDENCE

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Prepare to open a file; with `read_only`, raise `StoreMissing` if it does not exist.

        Even then it is opened for writing if permitted, because only then can the journal of a killed process be
        rolled back. Nothing else in the file changes.
        """
        if read_only and not path.is_file():
            raise StoreMissing(f"{path}: {MISSING}")
        self.path = path
        self._read_only = read_only
        # Absolute, because the process may change its working directory.
        self._file = path.absolute()
        self._is_begun = False
        self._pool = Pool(
            self._connect,
            self.address,
            size=POOL_SIZE,
            seconds_max=BUSY_SECONDS,
            is_alive=self._is_in_place,
            is_idle=lambda connection: not connection.in_transaction,
            survives_fork=False,
        )

    def make(self) -> None:
        """Create the file if it is missing, and create or migrate the tables; raises `LedgerFailed`."""
        try:
            make_file(self._file)
        except OSError as error:
            raise LedgerFailed(f"{self.path}: {error.strerror}: {ADVICE[sqlite3.SQLITE_CANTOPEN]}") from error
        self._meet(is_new=True)

    def bring_up_to_date(self) -> None:
        """Migrate the tables; raises `StoreMissing`, and `LedgerFailed` if they are newer than this version."""
        self._meet(is_new=False)

    def check(self) -> None:
        """Raise `LedgerFailed` for a store of another version or program; damage is left to the doctor."""
        with self.connection() as connection, _damage_suppressed():
            check_released(self.address, connection)
            refuse_other_programs(connection, besides="entries")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (applied,) = connection.execute(APPLIED).fetchone()
            # The number may have been changed by hand.
            if applied == version:
                refuse_other(self.address, version, SCHEMA_VERSION)

    def _meet(self, *, is_new: bool) -> None:
        with self.connection() as connection:
            version = self._prepare(connection, is_new=is_new)
            refuse_other(self.address, version, SCHEMA_VERSION, may_be_older=True)
        self._is_begun = True

    def _prepare(self, connection: sqlite3.Connection, *, is_new: bool) -> int:
        """Migrate a file to this version, or leave a newer one alone; return the version it had.

        Unless `is_new`, an empty file is not a store, and nothing is written to it.
        """
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if not is_new and not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
            raise StoreMissing(f"{self.path}: {MISSING}")
        check_released(self.address, connection)
        if version < SCHEMA_VERSION:
            migrate(connection)
        return version

    @property
    def address(self) -> str:
        return str(self.path)

    def size_bytes(self, connection: Connection, /) -> int:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        return int(pages) * int(page_bytes)

    def stage(self, connection: Connection, moves: Iterable[Values], windows: Iterable[Values], /) -> None:
        """Fill the temporary tables, which each connection creates on its first posting and keeps."""
        for statement in STAGE:
            connection.execute(statement)
        connection.executemany(STAGE_MOVE, moves)
        connection.executemany("INSERT INTO engage_staged_windows VALUES (?, ?, ?, ?)", windows)

    def wipe(self, _tables: Sequence[str], /) -> None:
        # On a separate connection, which builds the new file on disk and not in memory.
        try:
            with closing(connected(self._file, BUSY_SECONDS)) as connection:
                for statement in ("PRAGMA journal_mode = TRUNCATE", "PRAGMA synchronous = FULL", "VACUUM"):
                    connection.execute(statement)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def snapshot(self) -> Iterator[FileConnection]:
        with self.connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[FileConnection]:
        pid = os.getpid()
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                # A newer process may have migrated the tables while this one had them open.
                refuse_other(self.address, connection.execute("PRAGMA user_version").fetchone()[0], SCHEMA_VERSION)
                yield connection
                self._check_in_place(connection, pid)
                connection.execute("COMMIT")
            except BaseException:
                # In a child forked meanwhile, it is the parent's transaction.
                if connection.in_transaction and pid == os.getpid():
                    connection.execute("ROLLBACK")
                raise

    def _check_in_place(self, connection: FileConnection, pid: int) -> None:
        """Raise an error instead of committing to a file that is no longer the store, or in a forked child."""
        if pid != os.getpid():
            raise LedgerFailed(
                f"{self.path}: this process was forked within a transaction, which its parent ends; start a new process"
            )
        if not self._is_in_place(connection):
            raise LedgerBusy(f"{self.path}: {MOVED}")

    def connection(self) -> AbstractContextManager[FileConnection]:
        return self._pool.connection(self._translated)

    def _refuse_newer(self) -> None:
        """Raise `LedgerFailed` if a table is missing because a newer version has migrated the store."""
        with suppress(sqlite3.Error), self._pool.connection() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            refuse_other(self.address, version, SCHEMA_VERSION, may_be_older=True)

    def _connect(self) -> FileConnection:
        connection = connected(self._file, BUSY_SECONDS)
        try:
            for pragma in TO_READ if self._read_only else TO_WRITE:
                connection.execute(f"PRAGMA {pragma}")
            if self._is_begun:
                # Another file may have replaced the one that was migrated.
                self._prepare(connection, is_new=False)
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_in_place(self, connection: FileConnection) -> bool:
        return identity_of(self._file) == connection.identity

    def _translated(self, error: Exception) -> Exception:
        """Return our error for a foreign one; raises `LedgerFailed` if the tables are a newer version's."""
        if isinstance(error, (OverflowError, UnicodeEncodeError)):
            return LedgerFailed(f"{self.path}: a value cannot be stored ({error}); nothing was written")
        if not isinstance(error, sqlite3.Error):
            return error
        code = getattr(error, "sqlite_errorcode", None)
        primary = sqlite3.SQLITE_ERROR if code is None else code & 0xFF
        if primary == sqlite3.SQLITE_CANTOPEN and not self._file.exists():
            return StoreMissing(f"{self.path}: {MISSING}")
        if code == sqlite3.SQLITE_READONLY_DBMOVED:
            return LedgerBusy(f"{self.path}: {MOVED}")
        if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return LedgerBusy(
                f"{self.path} is in use by others for over {BUSY_SECONDS:.0f} s; nothing was written: try again"
            )
        if primary == sqlite3.SQLITE_ERROR:
            self._refuse_newer()
        advice = ADVICE.get(primary, "nothing was written; see the cause")
        return LedgerFailed(f"{self.path}: {error}: {advice}")


DAMAGE = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_MISMATCH,
    }
)
"""SQLite's result codes for a damaged table, page or number; SQLITE_ERROR includes a missing table."""


@contextmanager
def _damage_suppressed() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError:
        pass
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in DAMAGE:
            raise


MISSING = "there is no store"
ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing was written: free space and run again",
    sqlite3.SQLITE_CANTOPEN: "check that its folder exists, who owns the file, and that you may write there",
    sqlite3.SQLITE_READONLY: "it cannot be written; check owner and permissions of file and folder, and the disk",
    sqlite3.SQLITE_PERM: "check owner and permissions of the file and its folder",
    sqlite3.SQLITE_IOERR: "the disk failed; nothing was half-written: check it and its free space, then run again",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database; check the path, or restore a backup",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup",
}
"""What to do about an error, by SQLite's primary result code."""


class SqliteViews(Facts, Days, Views):
    """Only the views of a store, for a program that only reads; faster to load than `SqliteLedger`."""

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, create: bool = True) -> Self:
        """Open the store at `path`, creating it if it is missing; with `create=False`, raise `StoreMissing` instead.

        Only its owner can read and write a file that it creates. Raises `InvalidValue`, `LedgerFailed` and
        `LedgerBusy`.
        """
        if str(path) in {"", ":memory:"}:
            raise InvalidValue("path", str(path), "name a file; for a ledger without a disk use MemoryLedger")
        if "://" in str(path):
            # It may hold a password.
            raise InvalidValue("path", "…", "it is an address; give the path of a file, or open a PostgresLedger")
        return cls._prepared(
            SqliteDatabase(Path(path)), SqliteDatabase.make if create else SqliteDatabase.bring_up_to_date
        )

    @classmethod
    def open_read_only(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing store read-only: nothing is created, migrated or written; raises `LedgerFailed`."""
        return cls._prepared(SqliteDatabase(Path(path), read_only=True), SqliteDatabase.check)
