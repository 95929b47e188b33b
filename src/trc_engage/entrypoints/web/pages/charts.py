"""Data for the points chart and the calendar on a member's page, in percent and pixels."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import Literal

from attrs import frozen

from ....core.days import ONE_DAY
from ....core.model import Entry
from ....core.reports import Mark, MemberDay
from ....engage import Engage
from ...wording import MARKS

PAGE = 1_000
PAGES_MAX = 10
DAYS_OF_WEEK = 7
WEEKS = 26
HALF = WEEKS // 2 * DAYS_OF_WEEK


def first_day(today: date) -> date:
    """Return the Monday on which chart and calendar begin."""
    return today - timedelta(days=today.weekday() + DAYS_OF_WEEK * (WEEKS - 1))


@frozen
class Week:
    """One week of points."""

    monday: date
    earned: int
    balance: int
    """At its end, or today."""


@frozen
class Balances:
    """A member's points over days."""

    first_day: date
    values: Sequence[int]
    """At the end of the day before the first, and of each day from then on."""
    exact_from: date
    """Before this day entries may be missing."""

    @property
    def weeks(self) -> Sequence[Week]:
        """The balances by week, newest first; the first day is a Monday."""
        begins = range(0, len(self.values) - 1, DAYS_OF_WEEK)
        ends = [self.values[begin : begin + DAYS_OF_WEEK + 1][-1] for begin in begins]
        weeks = [
            Week(self.first_day + begin * ONE_DAY, end - self.values[begin], end)
            for begin, end in zip(begins, ends, strict=True)
        ]
        return weeks[::-1]


def balances(engage: Engage, member_id: str, total: int, first_day: date, today: date) -> Balances:
    """Return the points at the end of each day, computed back from today's total."""
    entries, exact_from = _since(engage, member_id, first_day)
    earned: Counter[date] = Counter()
    for entry in entries:
        earned[entry.day] += entry.points
    before = total - sum(points for day, points in earned.items() if day >= first_day)
    days = (first_day + number * ONE_DAY for number in range((today - first_day).days + 1))
    return Balances(first_day, [*accumulate((earned[day] for day in days), initial=before)], exact_from)


def _since(engage: Engage, member_id: str, first_day: date) -> tuple[Sequence[Entry], date]:
    """Return entries from a day on, newest first, and the day from which none is missing; reads at most 10,000.

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


Sign = Literal["active", "missed", "not_watched", "excused", "pending", "weekend", "bonus", "before", "ahead"]
"""`bonus`: active on a weekend. `ahead`: in the future."""

BONUS = "active on a weekend: adds nothing, breaks nothing"
AHEAD = "yet to come"
COUNTED: Sequence[tuple[Mark, str]] = (
    ("active", "active"),
    ("missed", "missed"),
    ("not_watched", "not watched"),
    ("excused", "excused"),
    ("pending", "not settled yet"),
)
LEGEND: Sequence[tuple[Sign, str]] = (*COUNTED, ("weekend", "weekend, a grace day"), ("bonus", "active on a weekend"))


@frozen
class Day:
    """A cell of the calendar."""

    day: date
    sign: Sign
    words: str
    is_today: bool = False


@frozen
class Weeks:
    """Some weeks side by side."""

    days: Sequence[Day]

    @property
    def mondays(self) -> Sequence[date]:
        """The first day of each week."""
        return [day.day for day in self.days[::DAYS_OF_WEEK]]

    @property
    def rows(self) -> Sequence[tuple[str, Sequence[Day]]]:
        """The name and the days of each weekday."""
        return [(f"{day.day:%A}", self.days[number::DAYS_OF_WEEK]) for number, day in enumerate(self.days[:7])]

    @property
    def months(self) -> Sequence[str]:
        """The label of each week: the month at its first week, unless it has only one week, which is too narrow."""
        names = [f"{monday:%b}" for monday in self.mondays]
        firsts = {name: names.index(name) for name in names if names.count(name) > 1}
        return [name if firsts.get(name) == number else "" for number, name in enumerate(names)]


@frozen
class Calendar:
    """The last 26 weeks."""

    halves: tuple[Weeks, Weeks]
    summary: str
    """How many weekdays have each mark."""


def calendar(days: Sequence[MemberDay]) -> Calendar:
    """Lay out the days from a Monday to today."""
    today, shown, has_begun = days[-1].day, [], False
    for day in days:
        # Before a member's first day, weekends are left empty too.
        has_begun = has_begun or day.is_active or day.mark not in {"before", "weekend"}
        mark: Mark = day.mark if has_begun else "before"
        sign: tuple[Sign, str] = (mark, MARKS[mark])
        if day.mark == "weekend" and day.is_active:
            sign = ("bonus", BONUS)
        shown.append(Day(day.day, *sign, is_today=day.day == today))
    rest = WEEKS * DAYS_OF_WEEK - len(shown)
    shown += [Day(today + (ahead + 1) * ONE_DAY, "ahead", AHEAD) for ahead in range(rest)]
    marks = [day.mark for day in days]
    summary = ", ".join(f"{marks.count(mark):,} {word}" for mark, word in COUNTED if mark in marks)
    return Calendar((Weeks(shown[:HALF]), Weeks(shown[HALF:])), summary)


TOP, BOTTOM = 28, 200
"""The highest and the lowest line of the chart, in pixels."""
LINES_MAX = 4
MONTH_ROOM = 94.0
"""The name of a month fits up to here, in percent from the left."""

Tick = tuple[float, str]
"""The position of a label on an axis, and its text."""


@frozen
class Chart:
    """A line of points over days."""

    width: int
    """In days; the chart is stretched to the page, its text is not."""
    line: str
    """An SVG path of steps."""
    levels: Sequence[Tick]
    """Horizontal lines, in pixels from the top."""
    months: Sequence[Tick]
    """In percent from the left."""
    end: Tick
    summary: str

    @property
    def area(self) -> str:
        """The SVG path of the area below the line."""
        return f"{self.line}V{BOTTOM}H0Z"


def chart(balances: Balances) -> Chart:
    """Draw a member's points."""
    values = balances.values[1:]
    lowest, highest, first, last = min(values), max(values), values[0], values[-1]
    levels = _levels(lowest, highest)

    def tick(value: int) -> Tick:
        height = BOTTOM - (value - levels[0]) * (BOTTOM - TOP) / (levels[-1] - levels[0])
        return round(height, 1), f"{value:,}".replace("-", "\u2212")

    heights = [tick(value)[0] for value in values]
    steps = (f"H{day}V{heights[day]:g}" for day in range(1, len(heights)) if heights[day] != heights[day - 1])
    width = len(values)
    days = ((number, balances.first_day + number * ONE_DAY) for number in range(width))
    months = [(round(100 * number / width, 2), f"{day:%b}") for number, day in days if day.day == 1]
    return Chart(
        width,
        f"M0 {heights[0]:g}{''.join(steps)}H{width}",
        [tick(level) for level in levels],
        [month for month in months if month[0] <= MONTH_ROOM],
        tick(last),
        f"From {first:,} to {last:,} points in {width // 7} weeks; the highest was {highest:,}.",
    )


def _levels(lowest: int, highest: int) -> Sequence[int]:
    """Return a few round numbers that enclose both values, from 0 if the lowest is near it."""
    if 0 < lowest <= highest / 2:
        lowest = 0
    highest = max(highest, lowest + LINES_MAX)
    steps = (digit * 10**zeros for zeros in range(25) for digit in (1, 2, 5))
    step = next(step for step in steps if -(-highest // step) - lowest // step <= LINES_MAX)
    return range(lowest // step * step, -(-highest // step) * step + 1, step)
