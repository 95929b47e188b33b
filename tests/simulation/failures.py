"""Failures in a row and the waits that servers asked for, as an observer counts them."""

from datetime import datetime, timedelta

from attrs import define, field

from trc_engage.core.posting import SyncState

from .oracle import KEPT_AWAY_MAX
from .verdict import Verdict, check

DISTRUST = frozenset({"distrusted", "another_board"})
"""Failures that need an admin's decision."""


@define(eq=False)
class Failures:
    """What must be remembered of the syncs that failed since the last good one."""

    count: int = 0
    kinds: set[str] = field(factory=set)
    waits: dict[str, datetime] = field(factory=dict)
    """Until when each board is to be left alone."""

    @property
    def is_distrusted(self) -> bool:
        """Whether an admin has to decide about a board."""
        return not self.kinds.isdisjoint(DISTRUST)

    def is_kept_away(self, board_id: str, at: datetime) -> bool:
        """Return whether the server asked to be left alone until later (R21)."""
        until = self.waits.get(board_id)
        return until is not None and at < until <= at + KEPT_AWAY_MAX

    def end(self, board_id: str, *, adopted: bool = False) -> None:
        """Reset the count after a good sync; an adoption also clears the waits of all boards."""
        self.count, self.kinds = 0, set()
        self.waits.pop(board_id, None)
        if adopted:
            self.waits.clear()

    def add(self, kind: str) -> None:
        """Count one more failure."""
        self.count += 1
        self.kinds.add(kind)

    def follow(
        self, state: SyncState, verdict: Verdict | None, board_id: str, now: datetime, *, plain: bool, dry_run: bool
    ) -> None:
        """Count a failed sync, if there was one, and check that the system remembers the same."""
        told = {one: wait.until for one, wait in state.waits.items()}
        if verdict is not None and (plain or state.failures > self.count):
            # A good board may be refused because members left while it was read; then the system's kind is accepted.
            is_open = verdict.either or verdict.kind is None
            kind = state.failure_run.kind if state.failure_run and is_open else verdict.kind
            if not dry_run:
                self.add(kind or "malformed")
            if verdict.either:
                self.waits = told
            elif verdict.was_asked:
                self._wait(board_id, now, verdict.wait_seconds)
        check(state.failures == self.count, f"{state.failures} failures in a row are remembered, not {self.count}")
        if not plain:
            self.waits = told
        check(told == self.waits, f"to wait until {told} is remembered, not {self.waits}")

    def _wait(self, board_id: str, now: datetime, seconds: int | None) -> None:
        self.waits.pop(board_id, None)
        if seconds is not None:
            self.waits[board_id] = now + timedelta(seconds=seconds)
