"""The calendar: which days a window counts for, which are required, and the streaks that follow."""

from collections import defaultdict
from collections.abc import Set
from datetime import UTC, date, datetime, time, timedelta

from attrs import define, field

ONE_DAY = timedelta(days=1)
WEEKEND = ("Sat", "Sun")


@define(eq=False)
class Calendar:
    """Excused and settled days, and the accounts whose XP rose on each."""

    excused: set[date] = field(factory=set)
    risen: dict[date, set[int]] = field(factory=lambda: defaultdict(set))
    """Numbers of the accounts that rose, by day."""
    settled_through: date | None = None

    def is_required(self, day: date) -> bool:
        """Return whether a day without activity breaks a streak (R13)."""
        return f"{day:%a}" not in WEEKEND and day not in self.excused

    def is_frozen(self, day: date) -> bool:
        """Return whether no account rose on a day though many had on the required day before (R15a)."""
        if not self.is_required(day) or self.risen.get(day):
            return False
        before = day - ONE_DAY
        while not self.is_required(before):
            before -= ONE_DAY
        return len(self.risen.get(before, ())) >= 5

    def streak(self, active: Set[date]) -> tuple[int, int]:
        """Return the current and the longest streak, walking the calendar day by day (R14)."""
        current = longest = 0
        day, through = min(active, default=date.max), self.settled_through
        while through is not None and day <= through:
            if f"{day:%a}" not in WEEKEND:
                if day in active:
                    current += 1
                elif day not in self.excused:
                    current = 0
                longest = max(longest, current)
            day += ONE_DAY
        return current, longest

    def at_risk(self, active: Set[date], today: date) -> bool:
        """Return whether a streak breaks if nothing more comes until the end of today."""
        day = today if self.settled_through is None else self.settled_through + ONE_DAY
        while day <= today:
            if self.is_required(day) and day not in active:
                return self.streak(active)[0] > 0
            day += ONE_DAY
        return False


def days_of_window(opens_at: datetime, closes_at: datetime) -> list[date]:
    """Return the UTC days that a window counts for: all it touches, the last of several only from 00:05 on (R12)."""
    opens_at = min(opens_at, closes_at)
    days: list[date] = []
    day = opens_at.date()
    while midnight(day) <= closes_at:
        is_last = closes_at < midnight(day + ONE_DAY)
        if not (days and is_last) or closes_at >= midnight(day) + timedelta(minutes=5):
            days.append(day)
        day += ONE_DAY
    return days


def midnight(day: date) -> datetime:
    """Return a day's first instant."""
    return datetime.combine(day, time(), UTC)
