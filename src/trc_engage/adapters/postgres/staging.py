"""Rows in bulk: the temporary tables that a posting's moves go through, and tables filled as a whole.

A temporary table lives no longer than the posting and has a name that no app gives: it neither hides a table of
somebody else's nor is hidden by one.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from ..sql.session import Session
from .opening import BULK_SECONDS, LAYOUT_SECONDS
from .session import PostgresSession

STAGE = """
CREATE TEMP TABLE engage_staged_moves (
    account_id BIGINT, version BIGINT, member_id TEXT COLLATE "C", status TEXT, next_reading TEXT,
    xp_baseline BIGINT, xp_total BIGINT, xp_high BIGINT, window_from TIMESTAMPTZ,
    kind TEXT, xp_before BIGINT, baseline_before BIGINT, silent BOOLEAN, points BIGINT, day DATE, month DATE,
    window_number BIGINT
) ON COMMIT DROP;
CREATE TEMP TABLE engage_staged_windows (
    window_number BIGINT, day DATE, opens_at TIMESTAMPTZ, closes_at TIMESTAMPTZ
) ON COMMIT DROP
"""

ROWS_TO_COPY = 100
"""From so many rows on it is quicker to copy them first."""


def stage(session: Session, moves: Iterable[Sequence[Any]], windows: Iterable[Sequence[Any]], /) -> None:
    """Make and fill the temporary tables."""
    mine = own(session)
    mine.be_patient(BULK_SECONDS, STAGE)
    mine.staged += ["engage_staged_moves", "engage_staged_windows"]
    _copy(mine, "engage_staged_moves", moves)
    _copy(mine, "engage_staged_windows", windows)
    # Without it the planner takes few moves for many, and reads all accounts for them.
    mine.run("ANALYZE engage_staged_moves (account_id)")


def merge(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], conflict: str = "", /
) -> int:
    """Insert rows, many of them by way of a temporary table, and return how many were written."""
    names = ", ".join(columns)
    if len(rows) < ROWS_TO_COPY:
        places = ", ".join("?" * len(columns))
        return session.executemany(f"INSERT INTO {table} ({names}) VALUES ({places}) {conflict}", rows).rowcount
    mine, staged = own(session), f"engage_staged_{table}"
    alike = f"SELECT {names} FROM {table} WITH NO DATA"
    mine.be_patient(BULK_SECONDS, f"CREATE TEMP TABLE {staged} ON COMMIT DROP AS {alike}")
    mine.staged.append(staged)
    _copy(mine, staged, rows)
    return session.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged} {conflict}").rowcount


def fill(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
    """Write rows into an empty table, and let the numbers that it gives begin behind them."""
    mine = own(session)
    # As long as it takes: nobody else is at work on a store that is being filled.
    mine.be_patient(LAYOUT_SECONDS)
    _copy(mine, f"{table} ({', '.join(columns)})", rows)
    number = columns[0]
    (sequence,) = session.execute("SELECT pg_get_serial_sequence(?, ?)", [table, number]).fetchone()
    if sequence is not None:
        session.execute(f"SELECT setval(?, max({number})) FROM {table} HAVING count(*) > 0", [sequence])


def own(session: Session) -> PostgresSession:
    """Return a session as what it is."""
    assert isinstance(session, PostgresSession)  # noqa: S101  this package lends no other
    return session


def _copy(session: PostgresSession, target: str, rows: Iterable[Sequence[Any]]) -> None:
    with session.cursor().copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
