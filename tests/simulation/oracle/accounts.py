"""Accounts and awards: what each has paid, and how a reading changes an account."""

from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from typing import Literal

from attrs import define, frozen

from .days import days_of_window

Drops = Literal["deduct", "rebase"]
"""What an admin decides about a fall of many."""


Decision = Drops | Literal["adopt"]
"""The other decision of an admin: that another board is meant."""


@frozen
class Sight:
    """What a board that was read whole showed."""

    found: Mapping[str, int]
    missed: Set[str]
    rows: int
    whole: bool
    server_at: datetime | None


@define(eq=False)
class Award:
    """An award, which may be reversed."""

    member: str
    source: str
    points: int
    day: date
    is_reversed: bool = False


@define(eq=False)
class Account:
    """One link of one Discord id to one member."""

    number: int
    member: str
    discord_id: str
    since: datetime
    """Where its window begins."""
    is_open: bool = False
    is_zero: bool = False
    """Whether it was opened without a row and has earned nothing since."""
    is_back: bool = False
    """Whether its next reading is the first after a return."""
    is_moved: bool = False
    """Whether its known XP comes from another board."""
    was_there: bool = False
    """Whether the last board that was searched for it had it."""
    has_left: bool = False
    is_closed: bool = False
    xp: int = 0
    xp_before: int = 0
    """The reading before."""
    baseline: int = 0

    @property
    def points(self) -> int:
        """The points that it has paid (R3)."""
        return (self.xp - self.baseline) // 100

    @property
    def is_sought(self) -> bool:
        """Whether syncs look for it."""
        return not (self.has_left or self.is_closed)

    @property
    def is_news_if_missing(self) -> bool:
        """Whether its absence would be news."""
        return not self.is_open or self.is_moved or (self.was_there and not self.is_back and not self.is_zero)

    def shift(self, xp: int) -> None:
        """Rebase: move everything by the same amount, so that points and carried XP stay (R6)."""
        by = xp - self.xp
        self.baseline += by
        self.xp = self.xp_before = xp

    def is_history(self, xp: int, at: datetime) -> bool:
        """Return whether the first XP of a zero-XP record came too fast to be new (R2a)."""
        minutes = max((at - self.since).total_seconds(), 0) / 60
        return self.is_open and self.is_zero and xp > 1_500 and xp > 100 * minutes

    def falls(self, xp: int, at: datetime) -> bool:
        """Return whether a reading would deduct points."""
        return self.is_open and xp < self.xp and not (self.is_back or self.is_moved) and not self.is_history(xp, at)

    def read(self, xp: int, at: datetime, drops: Drops | None) -> Sequence[date]:
        """Apply a reading, and return the days on which it shows activity (R11a)."""
        since = self.since
        is_history, falls = self.is_history(xp, at), xp < self.xp
        self.since, self.was_there = at, True
        if not self.is_open:
            self.is_open = True
            self.xp = self.xp_before = self.baseline = xp
            return ()
        rises = False
        if self.is_moved or is_history or (falls and (self.is_back or drops == "rebase")):
            self.shift(xp)
        else:
            rises = xp > self.xp and xp > self.xp_before
            self.xp_before, self.xp = self.xp, xp
        self.is_zero = self.is_back = self.is_moved = False
        return days_of_window(since, at) if rises else ()

    def unseen(self, at: datetime, drops: Drops | None) -> None:
        """Apply that it is not on a board that was searched for it."""
        if not self.is_open:
            self.is_open = self.is_zero = True
        elif self.is_moved or (drops == "rebase" and self.was_there and not self.is_back and not self.is_zero):
            self.shift(0)
            self.is_zero, self.is_moved = True, False
        self.was_there = False
        self.since = at

    def adopt(self, xp: int | None, at: datetime) -> None:
        """Apply what another board shows of an account that was looked for, which pays nothing (R24)."""
        self.is_moved = self.is_open
        if xp is None:
            self.unseen(at, None)
        else:
            self.read(xp, at, None)

    def await_adoption(self) -> None:
        """Let the next reading be the first of another board."""
        self.is_moved = self.is_open
        self.is_zero = self.is_back = False
