"""Streaks computed from rules R13 and R14 alone, slowly and plainly.

Nothing here knows how the package computes them: it walks the calendar day by day.
"""

from collections.abc import Set
from datetime import date, timedelta

WEEKEND = ("Sat", "Sun")


def rows(active: Set[date], excused: Set[date], through: date | None) -> list[list[date]]:
    """Return all runs of active weekdays up to a day, oldest first; the last one is empty if it was just broken."""
    found: list[list[date]] = [[]]
    day = min(active, default=date.max)
    while through is not None and day <= through:
        if f"{day:%a}" in WEEKEND:
            pass
        elif day in active:
            found[-1].append(day)
        elif day not in excused and found[-1]:
            found.append([])
        day += timedelta(days=1)
    return found


def current(active: Set[date], excused: Set[date], through: date | None) -> int:
    """Return the streak as of the last settled day."""
    return len(rows(active, excused, through)[-1])


def longest(active: Set[date], excused: Set[date], through: date | None) -> int:
    """Return the longest streak ever."""
    return max(len(row) for row in rows(active, excused, through))


def last_row(active: Set[date], excused: Set[date], through: date | None) -> list[date]:
    """Return the last run, broken or not; empty if there is no active day."""
    return next((row for row in reversed(rows(active, excused, through)) if row), [])


def will_break(active: Set[date], excused: Set[date], through: date, today: date) -> bool:
    """Return whether the streak breaks by the end of today unless new evidence arrives."""
    if not current(active, excused, through):
        return False
    days = (through + timedelta(days=n) for n in range(1, (today - through).days + 1))
    return any(current(active, excused, day) == 0 for day in days)
