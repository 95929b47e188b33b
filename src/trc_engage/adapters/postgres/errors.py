"""Translation of psycopg's errors into `EngageError`s."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from ...core.errors import LedgerBusy, LedgerFailed
from .connection import Silent

UNDONE = "nothing was written"
BUSY: dict[type[psycopg.Error], str] = {
    errors.LockNotAvailable: "another writer holds it for too long",
    errors.QueryCanceled: "a statement took too long, or was cancelled",
    errors.DeadlockDetected: "it deadlocked with another transaction",
    errors.SerializationFailure: "another transaction came first",
    errors.TooManyConnections: "the server has no free connection",
    errors.CannotConnectNow: "the server is starting or stopping",
    errors.AdminShutdown: "the server is stopping, or an admin ended the connection",
    errors.CrashShutdown: "the server is stopping",
    errors.IdleInTransactionSessionTimeout: "this process paused for too long inside a transaction",
}
"""Transient errors."""

POOLED = (
    f"{UNDONE}; a pool in transaction mode hands prepared statements to others: open the store without `prepare`, "
    "or connect to the server itself"
)
WHOLE = f"the store has all its tables, and {UNDONE}: try again; if it persists, see the cause"
UNSEEN = f"{UNDONE}; whether the tables of the store are there could not be seen: see the cause"
ADVICE: dict[type[psycopg.Error], str] = {
    errors.InsufficientPrivilege: "grant this role what it needs: its own schema, or the right to create one",
    errors.ReadOnlySqlTransaction: "this is a standby or read-only; name the primary server",
    errors.DiskFull: f"the server's disk is full; {UNDONE}: free space and run again",
    errors.DuplicatePreparedStatement: POOLED,
    errors.InvalidSqlStatementName: POOLED,
    errors.FeatureNotSupported: POOLED,
    psycopg.DataError: f"a value cannot be stored; {UNDONE}",
    psycopg.IntegrityError: f"the rows contradict each other; {UNDONE}",
}
"""What to do about an error; the first match counts."""

LOST = f"the connection was lost, and {UNDONE}: try again; if it persists, check whether the server runs"
SILENT = f"{UNDONE}: try again; if it persists, check whether the server runs, and what lies between"
UNSURE = (
    "the connection was lost or fell silent during a commit, so it is not known whether that succeeded: do the same "
    "again; nothing is written twice"
)
PASSING = (
    *("starting up", "shutting down", "recovery", "not yet accepting", "too many", "connection slots"),
    *("no more connections", "query_wait_timeout", "server login has been failing"),
)
STARTUP = "unsupported startup parameter"
REFUSED_OPTION = "the pool does not accept this option: leave it out of the address (and of PGOPTIONS)"
REFUSED = "check user, password and database, and what the server allows (pg_hba.conf)"
UNREACHABLE = "the server cannot be reached; check host and port, and that it runs"

IN_DOUBT = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName)
"""Errors of a damaged store, or of a sound one on a connection whose settings were changed."""


class CommitUnsure(Exception):
    """The connection broke after COMMIT was sent and before it was acknowledged."""


@contextmanager
def translated_errors(address: str, missing: Callable[[], list[str]] = list) -> Iterator[None]:
    """Translate every error of psycopg; `address` contains no password.

    `missing` returns which tables are gone, and raises if the store is not of this version.
    """
    try:
        yield
    except CommitUnsure as error:
        message = f"{address}: {UNSURE}"
        raise LedgerBusy(message) from error.__cause__
    except IN_DOUBT as error:
        raise LedgerFailed(f"{address}: {_first_line(error)}: {_diagnosis(missing)}") from error
    except psycopg.Error as error:
        raise translation(address, error) from error
    except psycopg.Warning as error:
        raise LedgerFailed(f"{address}: {_first_line(error)}: {UNDONE}") from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise LedgerFailed(f"{address}: a value cannot be stored ({error}); {UNDONE}") from error


def _diagnosis(missing: Callable[[], list[str]]) -> str:
    try:
        gone = missing()
    except psycopg.Error:
        return UNSEEN
    return f"{', '.join(gone)}: gone from the store; restore a backup" if gone else WHOLE


def translation(address: str, error: psycopg.Error) -> LedgerBusy | LedgerFailed:
    """Return the `EngageError` for an error of psycopg."""
    for kind, reason in BUSY.items():
        if isinstance(error, kind):
            return LedgerBusy(f"{address} is busy: {reason}; {UNDONE}: try again")
    if isinstance(error, Silent):
        return LedgerBusy(f"{address}: {_first_line(error)}, and {SILENT}")
    if _is_lost(error):
        return LedgerBusy(f"{address}: {LOST} ({_first_line(error)})")
    for kind, advice in ADVICE.items():
        if isinstance(error, kind):
            return LedgerFailed(f"{address}: {_first_line(error)}: {advice}")
    return LedgerFailed(f"{address}: {_first_line(error)}: {UNDONE}; see the cause")


def _is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection failed, which libpq reports only in the message."""
    return isinstance(error, errors.ConnectionException) or (
        isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    )


def unreachable(address: str, error: psycopg.Error) -> LedgerBusy | LedgerFailed:
    """Return why no connection could be made; at that stage, the server gives reasons only in the message."""
    text = _first_line(error)
    if STARTUP in text:
        return LedgerFailed(f"{address}: {text}: {REFUSED_OPTION}")
    if any(words in text for words in PASSING):
        return LedgerBusy(f"{address} is busy: {text}: try again")
    return LedgerFailed(f"{address}: {text}: {REFUSED if 'FATAL' in text else UNREACHABLE}")


def _first_line(error: Exception) -> str:
    """Return the first line only, because a second one may show values."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
