"""The chart of points and the calendar of days on a member's page: what templates draw, in per cent and pixels."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from attrs import frozen

from ....core.days import ONE_DAY
from ....core.model import Entry
from ....core.reports import Mark, MemberDay
from ....engage import Engage
from ...wording import MARKS

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
    """The points of the first day itself."""
    exact_from: date
    """Before this day entries may be missing."""

    @property
    def weeks(self) -> Sequence[Week]:
        """The balances by week, newest first; the first day is a Monday."""
        ends = [self.values[min(at + 6, len(self.values) - 1)] for at in range(0, len(self.values), 7)]
        before = [self.values[0] - self.first_earned, *ends]
        weeks = [
            Week(self.first_day + number * WEEK, end - earlier, end)
            for number, (earlier, end) in enumerate(zip(before, ends, strict=False))
        ]
        return weeks[::-1]


def balances(engage: Engage, member_id: str, total: int, first_day: date, today: date) -> Balances:
    """Return the points at the end of each day: the total of today, less what came later."""
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
    """Return entries from a day on, newest first, and the day from which on none is missing, since there may be many.

    Everything but awards is posted when it happens, so nothing posted before such an entry is of a later day.
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


WEEKS = 26
HALF = WEEKS // 2
DAYS_OF_WEEK = 7

Sign = Literal["active", "missed", "excused", "pending", "weekend", "bonus", "before", "ahead"]
"""Bonus: active on a weekend. Ahead: in the future."""

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
    """The name and the days of each weekday."""

    @property
    def months(self) -> Sequence[str]:
        """The label of each week: the month at its first week, unless there is only one, which has no room."""
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
    today, shown, has_begun = days[-1].day, [], False
    for day in days:
        # Before a member's first day, weekends are left empty too.
        has_begun = has_begun or day.is_active or day.mark not in {"before", "weekend"}
        shown.append(_day(day, has_begun=has_begun, is_today=day.day == today))
    rest = WEEKS * DAYS_OF_WEEK - len(shown)
    shown += [Day(today + timedelta(days=ahead + 1), "ahead", AHEAD) for ahead in range(rest)]
    middle = HALF * DAYS_OF_WEEK
    return Calendar((_weeks(shown[:middle]), _weeks(shown[middle:])), _summary(days))


def _day(day: MemberDay, *, has_begun: bool, is_today: bool) -> Day:
    if day.mark == "weekend" and day.is_active:
        return Day(day.day, "bonus", BONUS, is_today)
    mark: Mark = day.mark if has_begun else "before"
    return Day(day.day, mark, MARKS[mark], is_today)


def _weeks(days: Sequence[Day]) -> Weeks:
    rows = [(f"{days[weekday].day:%A}", days[weekday::DAYS_OF_WEEK]) for weekday in range(DAYS_OF_WEEK)]
    return Weeks([day.day for day in days[::DAYS_OF_WEEK]], rows)


def _summary(days: Sequence[MemberDay]) -> str:
    """Count the weekdays by mark; streaks are made of those."""
    marks = [day.mark for day in days]
    return ", ".join(f"{marks.count(mark):,} {word}" for mark, word in COUNTED if mark in marks)


TOP, BOTTOM = 28, 200
"""The highest and the lowest line of the chart, in pixels."""
LINES_MAX = 4
MONTH_ROOM = 94.0
"""Up to here, in per cent, the name of a month has room."""


@frozen
class Tick:
    """A label on an axis."""

    at: float
    text: str


@frozen
class Chart:
    """A line of points over days."""

    width: int
    """In days; the chart is stretched to the page, its text is not."""
    line: str
    area: str
    levels: Sequence[Tick]
    """Horizontal lines, in pixels from the top."""
    months: Sequence[Tick]
    """In per cent from the left."""
    end: Tick
    summary: str


def chart(balances: Balances) -> Chart:
    """Draw a member's points."""
    values = balances.values
    levels = _levels(min(values), max(values))
    lowest, highest = levels[0], levels[-1]

    def height(value: int) -> float:
        return round(BOTTOM - (value - lowest) * (BOTTOM - TOP) / (highest - lowest), 1)

    heights = [height(value) for value in values]
    line = _steps(heights)
    width = len(values)
    return Chart(
        width,
        line,
        f"{line}V{BOTTOM}H0Z",
        [Tick(height(level), f"{level:,}".replace("-", "\u2212")) for level in levels],
        _months(balances.first_day, width),
        Tick(heights[-1], f"{values[-1]:,}".replace("-", "\u2212")),
        f"From {values[0]:,} to {values[-1]:,} points in {width // 7} weeks; the highest was {max(values):,}.",
    )


def _steps(heights: Sequence[float]) -> str:
    """Return an SVG path of steps, with a point only where the level changes."""
    path = f"M0 {heights[0]:g}"
    for day, height in enumerate(heights):
        if day and height != heights[day - 1]:
            path += f"H{day}V{height:g}"
    return f"{path}H{len(heights)}"


def _levels(lowest: int, highest: int) -> Sequence[int]:
    """Return a few round numbers that enclose both values, from 0 if the lowest is near it."""
    if 0 < lowest <= highest / 2:
        lowest = 0
    highest = max(highest, lowest + LINES_MAX)
    step = next(step for step in _round_steps() if -(-highest // step) - lowest // step <= LINES_MAX)
    return range(lowest // step * step, -(-highest // step) * step + 1, step)


def _round_steps() -> Sequence[int]:
    return [digit * 10**zeros for zeros in range(25) for digit in (1, 2, 5)]


def _months(first_day: date, width: int) -> Sequence[Tick]:
    days = ((number, first_day + timedelta(days=number)) for number in range(width))
    marks = [Tick(round(100 * number / width, 2), f"{day:%b}") for number, day in days if day.day == 1]
    return [mark for mark in marks if mark.at <= MONTH_ROOM]
