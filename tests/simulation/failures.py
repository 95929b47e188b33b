"""Failures in a row and what the server asked for, as an observer counts them."""

from datetime import datetime, timedelta

from attrs import define, field

from trc_engage.core.postings import SyncState

from .oracle import KEPT_AWAY_MAX
from .verdict import Verdict, check


@define(eq=False)
class Failures:
    """What must be remembered of the syncs that failed since the last good one."""

    count: int = 0
    kinds: set[str] = field(factory=set)
    wait_until: datetime | None = None

    def is_kept_away(self, at: datetime) -> bool:
        """Tell whether the server asked to be left alone until later (R21)."""
        return self.wait_until is not None and at < self.wait_until <= at + KEPT_AWAY_MAX

    def end(self) -> None:
        """Forget them: a sync was good."""
        self.count, self.kinds, self.wait_until = 0, set(), None

    def add(self, kind: str) -> None:
        """Count one more."""
        self.count += 1
        self.kinds.add(kind)

    def follow(self, state: SyncState, verdict: Verdict | None, now: datetime, *, plain: bool, dry_run: bool) -> None:
        """Count a read that failed, if there was one, and check that the system remembers the same."""
        told = state.wait.until if state.wait else None
        if verdict is not None and (plain or state.failures > self.count):
            kind = state.failing.kind if state.failing and verdict.either else verdict.kind
            if not dry_run:
                self.add(kind or "malformed")
            seconds = verdict.wait_seconds
            if verdict.either:
                self.wait_until = told
            else:
                self.wait_until = None if seconds is None else now + timedelta(seconds=seconds)
        check(state.failures == self.count, f"{state.failures} failures in a row are remembered, not {self.count}")
        if not plain:
            self.wait_until = told
        check(told == self.wait_until, f"to wait until {told} is remembered, not {self.wait_until}")
