"""Every row of up to ten days: the streak that is kept step by step is the one that its definition gives (R14).

The definition is written here once more, from the rule and not from the code: it walks back from the last day. Within
the bound everything is visited: each weekday to begin on, each day active or not, required, excused for everyone or
for the member alone, with at most two excused days in a row.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from typing import Literal

from attrs import frozen

from trc_engage.core.days import Calendar
from trc_engage.core.streaks import Streak, advance_all, current, hold_all, recomputed

DAYS_MAX = 10
EXCUSED_MAX = 2
MONDAY = date(2026, 3, 2)

Excuse = Literal["none", "all", "alone"]


@frozen
class Day:
    """One day of a member's row."""

    day: date
    active: bool
    excuse: Excuse


Row = tuple[Day, ...]


def defined(row: Row) -> int:
    """Return the length of the streak at the end of a row, by R13, R13a and R14."""
    length = 0
    for one in reversed(row):
        if one.day.weekday() >= 5:
            continue
        if one.active:
            length += 1
        elif one.excuse == "none":
            break
    return length


def calendar_of(row: Row, *, alone: bool) -> Calendar:
    """Return everyone's calendar at the end of a row, or the member's own."""
    days = {excuse: frozenset(one.day for one in row if one.excuse == excuse) for excuse in ("all", "alone")}
    return Calendar(row[-1].day, days["all"], alone=days["alone"] if alone else frozenset())


def stepped(streak: Streak, row: Row) -> Streak:
    """Settle the last day of a row."""
    last, calendar = row[-1], calendar_of(row, alone=False)
    if last.active:
        (streak,) = advance_all([streak], last.day, calendar)
    elif last.excuse == "alone":
        (streak,) = hold_all([streak], last.day, calendar)
    return streak


def broken_laws(row: Row, streak: Streak, longest: int) -> list[str]:
    """Return the laws that do not hold at the end of a row."""
    own = calendar_of(row, alone=True)
    laws = {
        "the current streak is the one of the definition": current(streak, own) == defined(row),
        "the longest is the longest that ever was": streak.longest == longest,
        "recomputing makes what is stored": recomputed(streak, [one.day for one in row if one.active], own) == streak,
    }
    return [law for law, holds in laws.items() if not holds]


def visit() -> Iterator[tuple[Row, list[str]]]:
    """Visit every row, and yield each with the laws that it breaks."""
    for weekday in range(7):
        stack: list[tuple[Row, Streak, int]] = [((), Streak("m-1"), 0)]
        while stack:
            row, streak, longest = stack.pop()
            if len(row) == DAYS_MAX:
                continue
            day = MONDAY + timedelta(days=weekday + len(row))
            excused = sum(one.excuse != "none" for one in row)
            excuses: tuple[Excuse, ...] = ("none", "all", "alone") if excused < EXCUSED_MAX else ("none",)
            for active, excuse in product((False, True), excuses):
                if excuse == "alone" and day.weekday() >= 5:
                    continue  # only a required day can be excused for one member
                longer = (*row, Day(day, active, excuse))
                after = stepped(streak, longer)
                highest = max(longest, defined(longer))
                yield longer, broken_laws(longer, after, highest)
                stack.append((longer, after, highest))
