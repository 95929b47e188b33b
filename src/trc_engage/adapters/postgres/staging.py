"""The temporary tables that a posting's rows go through."""

from collections.abc import Iterable, Sequence
from typing import Any

from ..sql.session import Session
from .session import PostgresSession

STAGE = """
CREATE TEMP TABLE IF NOT EXISTS staged_moves (
    account_id BIGINT, version BIGINT, status TEXT, next_reading TEXT,
    xp_baseline BIGINT, xp_total BIGINT, xp_high BIGINT, window_from TIMESTAMPTZ,
    kind TEXT, silent BOOLEAN, points BIGINT, day DATE, window_number BIGINT
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_windows (
    window_number BIGINT, day DATE, opens_at TIMESTAMPTZ, closes_at TIMESTAMPTZ
) ON COMMIT DELETE ROWS;
DELETE FROM staged_moves;
DELETE FROM staged_windows
"""


def stage(session: Session, moves: Iterable[Sequence[Any]], windows: Iterable[Sequence[Any]], /) -> None:
    """Fill the temporary tables, made with the connection's first posting and kept."""
    assert isinstance(session, PostgresSession)  # noqa: S101  this package lends no other
    session.run(STAGE)
    _copy(session, "staged_moves", moves)
    _copy(session, "staged_windows", windows)
    # Without it the planner takes few moves for many, and reads all accounts for them.
    session.run("ANALYZE staged_moves (account_id)")


def _copy(session: PostgresSession, table: str, rows: Iterable[Sequence[Any]]) -> None:
    with session.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
