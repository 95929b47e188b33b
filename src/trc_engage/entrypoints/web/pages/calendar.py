"""A member's last weeks as a calendar: a sign for each day, and in words what it stands for."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from attrs import frozen

from ....core.views import Mark, MemberDay
from ...sentences.days import MARKS

WEEKS = 26
HALF = WEEKS // 2
DAYS_OF_WEEK = 7

Sign = Literal["active", "missed", "excused", "pending", "weekend", "bonus", "before", "ahead"]
"""Bonus: active on a weekend. Ahead: yet to come."""

BONUS = "active on a weekend: adds nothing, breaks nothing"
AHEAD = "yet to come"
LEGEND: tuple[tuple[Sign, str], ...] = (
    ("active", "active"),
    ("missed", "missed"),
    ("excused", "excused"),
    ("pending", "not settled yet"),
    ("weekend", "weekend, a grace day"),
    ("bonus", "active on a weekend"),
)
COUNTED: tuple[tuple[Mark, str], ...] = (
    ("active", "active"),
    ("missed", "missed"),
    ("excused", "excused"),
    ("pending", "not settled yet"),
)


@frozen
class Day:
    """One cell."""

    day: date
    sign: Sign
    words: str
    is_today: bool = False


@frozen
class Weeks:
    """Some weeks side by side."""

    mondays: Sequence[date]
    rows: Sequence[tuple[str, Sequence[Day]]]
    """For each weekday its name and its days."""

    @property
    def months(self) -> Sequence[str]:
        """What stands above each week: a month above its first one here; above a single week there is no room."""
        names = [f"{monday:%b}" for monday in self.mondays]
        return [
            name if name not in names[:number] and name in names[number + 1 :] else ""
            for number, name in enumerate(names)
        ]


@frozen
class Calendar:
    """The last 26 weeks."""

    halves: tuple[Weeks, Weeks]
    summary: str


def first_day(today: date) -> date:
    """Return the Monday on which the calendar begins."""
    return today - timedelta(days=today.weekday() + DAYS_OF_WEEK * (WEEKS - 1))


def calendar(days: Sequence[MemberDay]) -> Calendar:
    """Lay out the days from a Monday to today."""
    today, shown, is_told = days[-1].day, [], False
    for day in days:
        # Before a member's first day the weekends are not told either.
        is_told = is_told or day.is_active or day.mark not in {"before", "weekend"}
        shown.append(_day(day, is_told=is_told, is_today=day.day == today))
    rest = WEEKS * DAYS_OF_WEEK - len(shown)
    shown += [Day(today + timedelta(days=ahead + 1), "ahead", AHEAD) for ahead in range(rest)]
    middle = HALF * DAYS_OF_WEEK
    return Calendar((_weeks(shown[:middle]), _weeks(shown[middle:])), _summary(days))


def _day(day: MemberDay, *, is_told: bool, is_today: bool) -> Day:
    if day.mark == "weekend" and day.is_active:
        return Day(day.day, "bonus", BONUS, is_today)
    mark: Mark = day.mark if is_told else "before"
    return Day(day.day, mark, MARKS[mark], is_today)


def _weeks(days: Sequence[Day]) -> Weeks:
    rows = [(f"{days[weekday].day:%A}", days[weekday::DAYS_OF_WEEK]) for weekday in range(DAYS_OF_WEEK)]
    return Weeks([day.day for day in days[::DAYS_OF_WEEK]], rows)


def _summary(days: Sequence[MemberDay]) -> str:
    """Count the weekdays by what they are; those are what a streak is made of."""
    marks = [day.mark for day in days]
    return ", ".join(f"{marks.count(mark):,} {word}" for mark, word in COUNTED if mark in marks)
