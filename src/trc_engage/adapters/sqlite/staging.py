"""Rows in bulk: the temporary tables that a posting's moves go through, and tables filled as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..sql.session import Session

STAGE = (
    """
    CREATE TEMP TABLE IF NOT EXISTS engage_staged_moves (
        account_id INTEGER PRIMARY KEY, version INTEGER, member_id TEXT, status TEXT, next_reading TEXT,
        xp_baseline INTEGER, xp_total INTEGER, xp_high INTEGER, window_from TEXT,
        kind TEXT, xp_before INTEGER, baseline_before INTEGER,
        silent INTEGER, points INTEGER, day TEXT, month TEXT, window_number INTEGER
    )
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS engage_staged_windows (
        window_number INTEGER, day TEXT, opens_at TEXT, closes_at TEXT, PRIMARY KEY (window_number, day)
    ) WITHOUT ROWID
    """,
    "DELETE FROM engage_staged_moves",
    "DELETE FROM engage_staged_windows",
)


def stage(session: Session, moves: Iterable[Sequence[Any]], windows: Iterable[Sequence[Any]], /) -> None:
    """Fill the temporary tables, made with the connection's first posting and kept."""
    for statement in STAGE:
        session.execute(statement)
    session.executemany(f"INSERT INTO engage_staged_moves VALUES ({', '.join('?' * 17)})", moves)
    session.executemany("INSERT INTO engage_staged_windows VALUES (?, ?, ?, ?)", windows)


def merge(
    session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], conflict: str = "", /
) -> int:
    """Insert rows one by one, which needs no detour here, and return how many were written."""
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    return session.executemany(f"INSERT INTO {table} ({names}) VALUES ({places}) {conflict}", rows).rowcount


def fill(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
    """Write rows into an empty table."""
    merge(session, table, columns, rows)
