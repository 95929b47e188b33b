"""Rows in bulk: the temporary tables that a posting's moves go through, and tables filled as a whole."""

from collections.abc import Iterable, Sequence
from typing import Any

from ..sql.session import Session
from .session import PostgresSession

STAGE = """
CREATE TEMP TABLE IF NOT EXISTS staged_moves (
    account_id BIGINT, version BIGINT, member_id TEXT COLLATE "C", status TEXT, next_reading TEXT,
    xp_baseline BIGINT, xp_total BIGINT, xp_high BIGINT, window_from TIMESTAMPTZ,
    kind TEXT, xp_before BIGINT, baseline_before BIGINT, silent BOOLEAN, points BIGINT, day DATE, month DATE,
    window_number BIGINT
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_windows (
    window_number BIGINT, day DATE, opens_at TIMESTAMPTZ, closes_at TIMESTAMPTZ
) ON COMMIT DELETE ROWS;
DELETE FROM staged_moves;
DELETE FROM staged_windows
"""

ROWS_TO_COPY = 100
"""From so many rows on it is quicker to copy them first."""


def stage(session: Session, moves: Iterable[Sequence[Any]], windows: Iterable[Sequence[Any]], /) -> None:
    """Fill the temporary tables, made with the connection's first posting and kept."""
    ours = _ours(session)
    ours.run(STAGE)
    _copy(ours, "staged_moves", moves)
    _copy(ours, "staged_windows", windows)
    # Without it the planner takes few moves for many, and reads all accounts for them.
    ours.run("ANALYZE staged_moves (account_id)")


def merge(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], conflict: str = "", /
) -> int:
    """Insert rows, many of them by way of a temporary table, and return how many were written."""
    names = ", ".join(columns)
    if len(rows) < ROWS_TO_COPY:
        places = ", ".join("?" * len(columns))
        return session.executemany(f"INSERT INTO {table} ({names}) VALUES ({places}) {conflict}", rows).rowcount
    ours, staged = _ours(session), f"staged_{table}"
    ours.run(
        f"CREATE TEMP TABLE IF NOT EXISTS {staged} ON COMMIT DELETE ROWS AS SELECT {names} FROM {table} WITH NO DATA; "
        f"DELETE FROM {staged}"
    )
    _copy(ours, staged, rows)
    return session.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged} {conflict}").rowcount


def fill(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
    """Write rows into an empty table, and let the numbers that it gives begin behind them."""
    ours = _ours(session)
    # As long as it takes: nobody else is at work on a store that is being filled.
    ours.run("SET LOCAL statement_timeout = 0")
    _copy(ours, f"{table} ({', '.join(columns)})", rows)
    number = columns[0]
    (sequence,) = session.execute("SELECT pg_get_serial_sequence(?, ?)", [table, number]).fetchone()
    if sequence is not None:
        session.execute(f"SELECT setval(?, max({number})) FROM {table} HAVING count(*) > 0", [sequence])


def _ours(session: Session) -> PostgresSession:
    assert isinstance(session, PostgresSession)  # noqa: S101  this package lends no other
    return session


def _copy(session: PostgresSession, target: str, rows: Iterable[Sequence[Any]]) -> None:
    with session.cursor().copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
