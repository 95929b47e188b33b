"""How each transaction of ours begins: nothing is set for longer, for behind a pool the next may be anybody's.

Nor is anything relied upon that others may have left behind, such as another search path, role or time limit.
"""

from .place import Place

WAIT_SECONDS = 10.0
"""For a connection, and for whoever writes to be done."""
STATEMENT_SECONDS = 30
"""Longer than the wait for a lock, shorter than a web server waits for us."""
BULK_SECONDS = 300
"""For what moves or reads many rows. As long as a claim holds: what takes longer is lost anyway."""
LAYOUT_SECONDS = 3_600
"""For tables that are laid out or filled as a whole, with nobody else at work."""
IDLE_SECONDS = 60
"""A process that stops dead in a transaction must not hold up the others for ever."""

READ_ONE = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

PATIENCE = "SET LOCAL statement_timeout = '{seconds}s'"


def opening(begin: str, place: Place, *, path: str | None = None) -> tuple[str, ...]:
    """Return the statements that begin a transaction and set all that ours rely on until it ends."""
    values = {
        "search_path": path or place.path,
        "lock_timeout": f"{WAIT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "client_min_messages": "warning",
    }
    given = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())
    return (
        begin,
        # First, and by the quickest statement that there is: the limit that was left behind may be a millisecond.
        PATIENCE.format(seconds=STATEMENT_SECONDS),
        # The role that a connection came with, and not the one of whoever had it before.
        f"SELECT set_config('role', NULL, true), {given}",
    )
