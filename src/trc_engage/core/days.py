"""Which UTC days a window of time counts for (R12), and which days are required (R13)."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache

from attrs import evolve, field, frozen

FOOTHOLD = timedelta(minutes=5)
"""How much of its last day a window must cover before that day counts."""
ONE_DAY = timedelta(days=1)
SATURDAY = 5
"""As `date.weekday` counts."""


@frozen
class Window:
    """The time in which XP was earned, and the days it counts for."""

    opens_at: datetime
    closes_at: datetime
    days: tuple[date, ...]

    @classmethod
    def between(cls, opens_at: datetime, closes_at: datetime) -> "Window":
        """Return the window from one reading to the next; one that would open after it closes becomes an instant."""
        opens_at = min(opens_at, closes_at)
        return cls(opens_at, closes_at, days_counted(opens_at, closes_at))


def windows_until(closes_at: datetime) -> Callable[[datetime], Window]:
    """Return a cached function from a window's opening to the window.

    The accounts of one sync share a handful of openings, so even 100,000 of them cost a handful of calendar walks.
    """
    return cache(lambda opens_at: Window.between(opens_at, closes_at))


def days_counted(opens_at: datetime, closes_at: datetime) -> tuple[date, ...]:
    """Return the UTC days for which XP earned between two instants counts, oldest first.

    Every day that the window touches counts, except that the last of several needs at least five
    minutes of it, so the sync at 00:00 credits the evening before and not the new day:

    >>> friday = datetime(2026, 3, 6, 23, 45, tzinfo=UTC)
    >>> [str(day) for day in days_counted(friday, friday + timedelta(minutes=15))]
    ['2026-03-06']
    >>> [str(day) for day in days_counted(friday, friday + timedelta(minutes=20))]
    ['2026-03-06', '2026-03-07']
    """
    first, last = opens_at.date(), closes_at.date()
    midnight = datetime(last.year, last.month, last.day, tzinfo=UTC)
    if first < last and closes_at - midnight < FOOTHOLD:
        last -= ONE_DAY
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def settled_before(first_enrolled_at: datetime | None) -> date | None:
    """Return the last day that counts as settled before the first settlement; None while nobody is enrolled."""
    return None if first_enrolled_at is None else first_enrolled_at.date() - ONE_DAY


@frozen
class Calendar:
    """Which days are required, and the last settled day (R13, R15)."""

    settled_through: date | None = None
    """Before the first settlement, the day before the first enrollment; None while nobody is enrolled."""
    excused: frozenset[date] = frozenset()
    changes: int = 0
    """How often a day was excused or required again, for anyone; with `settled_through` it identifies a calendar."""
    alone: frozenset[date] = field(factory=frozenset, eq=False)
    """In one member's calendar: the days on which that member is excused alone (R13a)."""

    @property
    def next_day(self) -> date | None:
        """The oldest day that is not settled, which may not be over; None before the first enrollment."""
        return self.settled_through and self.settled_through + ONE_DAY

    def turned(self, days: Iterable[date], *, excused: bool, alone: bool = False) -> "Calendar":
        """Return the calendar after days are excused or required again, for everyone or for its member alone."""
        turned = frozenset(days)
        before = self.alone if alone else self.excused
        after = before | turned if excused else before - turned
        changes = self.changes + len(turned)
        return evolve(self, alone=after, changes=changes) if alone else evolve(self, excused=after, changes=changes)

    def is_excused(self, day: date) -> bool:
        """Return whether a day is excused, for everyone or for the calendar's member."""
        return day in self.excused or day in self.alone

    def is_required(self, day: date) -> bool:
        """Return whether a day without activity breaks a streak."""
        return day.weekday() < SATURDAY and not self.is_excused(day)

    def adds(self, day: date) -> bool:
        """Return whether activity on that day extends a streak: on any weekday, excused or not."""
        return day.weekday() < SATURDAY

    def is_settled(self, day: date) -> bool:
        """Return whether the day is settled, so that news of it is late (R16)."""
        return self.settled_through is not None and day <= self.settled_through

    def requires_any(self, after: date, before: date) -> bool:
        """Return whether any day strictly between the two is required."""
        between = map(date.fromordinal, range(after.toordinal() + 1, before.toordinal()))
        return any(map(self.is_required, between))

    def unsettled_until(self, today: date) -> tuple[date, ...]:
        """Return the days after the last settled one, including today; only today if none is settled."""
        first = today if self.settled_through is None else self.settled_through + ONE_DAY
        return tuple(map(date.fromordinal, range(first.toordinal(), today.toordinal() + 1)))

    def required_before(self, day: date) -> date:
        """Return the last required day before this one."""
        day -= ONE_DAY
        while not self.is_required(day):
            day -= ONE_DAY
        return day
