"""The `RunBook` port."""

import threading
from datetime import datetime

from attrs import evolve

from ...core.errors import LedgerBusy
from ...core.postings import Claim, SyncFailure, SyncState, Wait
from ...core.timing import CLOCK_SLACK
from .state import State


class Running:
    """Runs, waits and claims."""

    _state: State

    def sync_state(self) -> SyncState:
        """Return what is remembered of earlier syncs."""
        with self._state.lock:
            seen = [at for at in (self._state.sync.good_at, self._state.settled_at) if at is not None]
            return evolve(self._state.sync, seen_at=max(seen, default=None))

    def record_failure(self, failure: SyncFailure, /) -> None:
        """Remember that a sync failed, and how long to keep away."""
        with self._state.lock:
            next(self._state.runs)
            wait = None if failure.retry_at is None else Wait(failure.kind, failure.retry_at)
            failures = self._state.sync.failures + failure.counts
            self._state.sync = evolve(self._state.sync, failures=failures, wait=wait)

    def claim(self, task: str, at: datetime, until: datetime, /) -> Claim:
        """Take the right to do a task; `LedgerBusy` says who has it."""
        with self._state.lock:
            if task in self._state.claims:
                held, taken_at = self._state.claims[task]
                if taken_at - CLOCK_SLACK <= at < held.until:
                    message = f"another {task} is at work ({held.owner}), at the latest until {held.until:%H:%M:%S} UTC"
                    raise LedgerBusy(message)
            claim = Claim(task, f"thread {threading.get_ident()}", until)
            self._state.claims[task] = (claim, at)
            return claim

    def release(self, claim: Claim, /) -> None:
        """Give a claim back; one that was taken over meanwhile is left alone."""
        with self._state.lock:
            held, _ = self._state.claims.get(claim.task, (None, None))
            if held is claim:
                del self._state.claims[claim.task]
