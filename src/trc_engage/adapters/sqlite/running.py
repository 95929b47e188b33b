"""The run book: syncs that were good, syncs that failed, and who is at work."""

import os
import secrets
import socket
from datetime import datetime

from ...core.errors import LedgerBusy
from ...core.postings import Claim, SyncFailure, SyncState, Wait
from ...core.timing import CLOCK_SLACK
from .database import Database
from .stamps import stamp

SYNC_STATE = """
SELECT
    (SELECT max(run_id) FROM runs WHERE outcome = 'synced') AS good_run,
    (SELECT at FROM runs WHERE outcome = 'synced' ORDER BY run_id DESC LIMIT 1),
    (SELECT count(*) FROM runs WHERE counts = 1 AND run_id > coalesce(
        (SELECT max(run_id) FROM runs WHERE outcome = 'synced'), 0))
"""


class Running:
    """The `RunBook` port."""

    _database: Database

    def sync_state(self) -> SyncState:
        """Return what is remembered of earlier syncs."""
        with self._database.reading() as connection:
            good_run, good_at, failures = connection.execute(SYNC_STATE).fetchone()
            whole = connection.execute(
                "SELECT at, board_rows FROM runs WHERE whole = 1 ORDER BY run_id DESC LIMIT 1"
            ).fetchone()
            last = connection.execute("SELECT trouble, retry_at FROM runs ORDER BY run_id DESC LIMIT 1").fetchone()
            (settled_at,) = connection.execute("SELECT max(settled_at) FROM settled_days").fetchone()
        seen_at = max(filter(None, (good_at, settled_at)), default=None)
        return SyncState(
            good_run=good_run or 0,
            good_at=good_at and datetime.fromisoformat(good_at),
            seen_at=seen_at and datetime.fromisoformat(seen_at),
            whole_at=whole and datetime.fromisoformat(whole[0]),
            whole_rows=whole and whole[1],
            failures=failures,
            wait=Wait(last[0], datetime.fromisoformat(last[1])) if last and last[1] else None,
        )

    def record_failure(self, failure: SyncFailure, /) -> None:
        """Remember that a sync failed, and how long to keep away."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO runs (task, outcome, at, trouble, message, counts, retry_at) "
                "VALUES ('sync', 'failed', ?, ?, ?, ?, ?)",
                [
                    stamp(failure.at),
                    failure.kind,
                    failure.message,
                    failure.counts,
                    failure.retry_at and stamp(failure.retry_at),
                ],
            )

    def claim(self, task: str, at: datetime, until: datetime, /) -> Claim:
        """Take the right to do a task; `LedgerBusy` says who has it."""
        claim = Claim(task, f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}", until)
        with self._database.writing() as connection:
            held = connection.execute("SELECT owner, taken_at, until FROM claims WHERE task = ?", [task]).fetchone()
            if held and held[1] <= stamp(at + CLOCK_SLACK) and stamp(at) < held[2] and _may_live(held[0]):
                message = (
                    f"another {task} is at work since {held[1]:.19} UTC ({held[0]}); nothing was read or changed: "
                    f"try again, at the latest after {held[2]:.19} UTC"
                )
                raise LedgerBusy(message)
            connection.execute(
                "INSERT OR REPLACE INTO claims (task, owner, taken_at, until) VALUES (?, ?, ?, ?)",
                [task, claim.owner, stamp(at), stamp(until)],
            )
        return claim

    def release(self, claim: Claim, /) -> None:
        """Give a claim back; one that was taken over meanwhile is left alone."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM claims WHERE task = ? AND owner = ?", [claim.task, claim.owner])


def _may_live(owner: str) -> bool:
    """Tell whether a claim's owner may still be at work; a process of this host is asked for."""
    host, pid, _ = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
