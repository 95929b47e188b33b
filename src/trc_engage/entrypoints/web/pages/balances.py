"""How a member's points came together, day by day."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from attrs import frozen

from ....core.days import ONE_DAY
from ....core.entries import Entry
from ....engage import Engage

PAGE = 1_000
PAGES_MAX = 10
WEEK = timedelta(days=7)


@frozen
class Week:
    """One week of points."""

    monday: date
    earned: int
    balance: int
    """At its end, or today."""


@frozen
class Balances:
    """A member's points at the end of each day."""

    first_day: date
    values: Sequence[int]
    first_earned: int
    """What the first day itself brought."""
    exact_from: date
    """The day before which entries may be left out."""

    @property
    def weeks(self) -> Sequence[Week]:
        """The same by weeks, newest first; the first day is a Monday."""
        ends = [self.values[min(at + 6, len(self.values) - 1)] for at in range(0, len(self.values), 7)]
        before = [self.values[0] - self.first_earned, *ends]
        weeks = [
            Week(self.first_day + number * WEEK, end - earlier, end)
            for number, (earlier, end) in enumerate(zip(before, ends, strict=False))
        ]
        return weeks[::-1]


def balances(engage: Engage, member_id: str, total: int, first_day: date, today: date) -> Balances:
    """Return the points at the end of each of these days: what there is today, less what came later."""
    by_day: Counter[date] = Counter()
    entries, exact_from = _since(engage, member_id, first_day)
    for entry in entries:
        by_day[entry.day] += entry.points
    values, balance, day = [], total - sum(points for day, points in by_day.items() if day > today), today
    while day >= first_day:
        values.append(balance)
        balance -= by_day[day]
        day -= ONE_DAY
    return Balances(first_day, values[::-1], by_day[first_day], exact_from)


def _since(engage: Engage, member_id: str, first_day: date) -> tuple[Sequence[Entry], date]:
    """Return the entries that can be of these days, newest first, and from which day on none is left out.

    There may be too many. What is not an award is posted when it happens, so nothing posted before such an entry is
    of a later day.
    """
    found: list[Entry] = []
    before: int | None = None
    for _ in range(PAGES_MAX):
        entries = engage.history(member_id, limit=PAGE, before=before)
        found += entries
        if len(entries) < PAGE or any(one.kind != "award" and one.at.date() < first_day for one in entries):
            return found, first_day
        before = entries[-1].position
    return found, found[-1].at.date()
