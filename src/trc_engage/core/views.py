"""What people read."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from attrs import field, frozen

from . import points
from .days import Calendar
from .entries import Evidence
from .status import Status
from .streaks import Streak, StreakStanding

Mark = Literal["active", "missed", "excused", "weekend", "pending", "before"]
"""Pending: not settled, and nothing earned so far. Before: earlier than the enrolment."""


@frozen
class DiscordStanding:
    """What a member sees of the linked account."""

    discord_id: str
    status: Status
    xp_total: int
    xp_carried: int

    @property
    def xp_to_next_point(self) -> int:
        """XP missing to the next point, 1-100."""
        return points.XP_PER_POINT - self.xp_carried


@frozen
class Standing:
    """Where a member stands."""

    member_id: str
    name: str | None
    points: int
    points_by_source: Mapping[str, int] = field(factory=dict)
    discord: DiscordStanding | None = None
    streak: StreakStanding | None = None
    """Told of one member at a time."""
    is_hidden: bool = False
    is_forgotten: bool = False


@frozen
class Found:
    """Somebody who was searched for."""

    member_id: str
    name: str | None


@frozen
class MemberFacts:
    """What a store tells of one member, for `Standing` to be made of."""

    standing: Standing
    enrolled_at: datetime
    streak: Streak
    calendar: Calendar
    open_days: frozenset[date]
    """Active days that are not settled yet, up to today."""


@frozen
class Rank:
    """A member's place among the visible ones: 1, 1, 3."""

    rank: int
    member_id: str
    name: str | None
    points: int


@frozen
class MemberDay:
    """One day of one member, and what made it active."""

    day: date
    mark: Mark
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether anything was earned on it."""
        return bool(self.evidence)


def member_day(day: date, evidence: tuple[Evidence, ...], calendar: Calendar, enrolled_on: date) -> MemberDay:
    """Say what a day means for the member's streak (R13-R15)."""
    mark: Mark = "missed"
    if day < enrolled_on and not evidence:
        mark = "before"
    elif not calendar.adds(day):
        mark = "weekend"
    elif evidence:
        mark = "active"
    elif day in calendar.excused:
        mark = "excused"
    elif not calendar.is_settled(day):
        mark = "pending"
    return MemberDay(day, mark, evidence)
