"""Which days can be settled, and why others cannot (R15, R15a)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Literal

from attrs import frozen

from .days import ONE_DAY, Calendar

ROSE_THE_DAY_BEFORE_MIN = 5
"""How many accounts must have risen on the previous required day to make a day without any rise suspect."""

Cause = Literal["no_sync", "frozen", "due", "earlier"]
"""Due: the next run or `settle` settles it."""

FACTS: Mapping[Cause, str] = {
    "no_sync": "waits for a good sync that begins after its end; nobody's streak breaks meanwhile",
    "due": "waits for the next run from 00:05 UTC on, which settles it",
    "earlier": "waits for the day before it",
    "frozen": f"is suspect: nobody's XP rose, though it did for {ROSE_THE_DAY_BEFORE_MIN} or more on the required day "
    "before",
}


@frozen
class Pending:
    """A day that is over and not yet settled."""

    day: date
    cause: Cause

    @property
    def fact(self) -> str:
        """What the day waits for."""
        return f"{self.day:%a %Y-%m-%d} {FACTS[self.cause]}"

    @property
    def why(self) -> str:
        """What the day waits for, and what to do about it."""
        if self.cause != "frozen":
            return self.fact
        return f"{self.fact}. If the board stood still, excuse the day. If it was really that quiet, settle it as quiet"


def days_watched(calendar: Calendar) -> tuple[date, ...]:
    """Return the days whose rises matter (R15a): the next one, if required, and the required one before it."""
    day = calendar.next_day
    if day is None or not calendar.is_required(day):
        return ()
    return day, calendar.required_before(day)


def ends_at(day: date) -> datetime:
    """Return the instant at which a UTC day ends."""
    return datetime.combine(day + ONE_DAY, time(), UTC)


def is_read_past(day: date, good_at: datetime | None) -> bool:
    """Return whether a good sync began after the day's end."""
    return good_at is not None and good_at >= ends_at(day)


def pending_from(oldest: date, now: datetime, cause: Cause | None, good_at: datetime | None) -> tuple[Pending, ...]:
    """Return the days that are over, from the oldest on; `cause` is why that one cannot be settled, None if it can."""
    # All that is known of the later days is whether a sync has read past them.
    unread = oldest if good_at is None or cause == "frozen" else good_at.astimezone(UTC).date()
    waits: Cause = "earlier" if cause == "frozen" else "no_sync"
    behind = map(date.fromordinal, range(oldest.toordinal() + 1, now.astimezone(UTC).date().toordinal()))
    return (Pending(oldest, cause or "due"), *(Pending(day, "due" if day < unread else waits) for day in behind))


def cause_of(day: date, calendar: Calendar, good_at: datetime | None, rises: Mapping[date, int]) -> Cause | None:
    """Return why a day that is over cannot be settled; None if it can."""
    if not is_read_past(day, good_at):
        return "no_sync"
    return "frozen" if is_frozen(day, calendar, rises) else None


def is_frozen(day: date, calendar: Calendar, rises: Mapping[date, int]) -> bool:
    """Return whether a day is suspect: nobody's XP rose, although enough did on the previous required day (R15a)."""
    if not calendar.is_required(day) or rises[day]:
        return False
    return rises[calendar.required_before(day)] >= ROSE_THE_DAY_BEFORE_MIN
