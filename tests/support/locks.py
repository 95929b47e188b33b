"""Wait until sessions of a PostgreSQL wait for a lock or a standby."""

from typing import Any

import psycopg

FOR_A_LOCK = "SELECT count(*) FROM pg_locks WHERE NOT granted"
FOR_A_STANDBY = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
LOOKS_MAX = 100_000


def until_waiting(connection: psycopg.Connection[Any], waiting: int = 1, what: str = FOR_A_LOCK) -> None:
    """Return once this many are waiting."""
    for _ in range(LOOKS_MAX):
        (found,) = connection.execute(what).fetchone() or (0,)
        if found >= waiting:
            return
    raise AssertionError("nobody waits")
