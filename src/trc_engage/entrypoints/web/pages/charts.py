"""Points over time as a drawing: what the template needs to know, in per cent and pixels."""

from collections.abc import Sequence
from datetime import date, timedelta

from attrs import frozen

from .balances import Balances

TOP, BOTTOM = 28, 200
"""Where the drawing's highest and lowest line lie, in pixels."""
LINES_MAX = 4
MONTH_ROOM = 94.0
"""Up to where, in per cent, a month's name still has room."""


@frozen
class Mark:
    """A place on an axis, and what stands there."""

    at: float
    text: str


@frozen
class Chart:
    """A line of points over days."""

    width: int
    """In days: the drawing is stretched to the page, its text is not."""
    line: str
    area: str
    levels: Sequence[Mark]
    """Lines across, in pixels from the top."""
    months: Sequence[Mark]
    """In per cent from the left."""
    end: Mark
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
        [Mark(height(level), f"{level:,}".replace("-", "\u2212")) for level in levels],
        _months(balances.first_day, width),
        Mark(heights[-1], f"{values[-1]:,}".replace("-", "\u2212")),
        f"From {values[0]:,} to {values[-1]:,} points in {width // 7} weeks; the highest was {max(values):,}.",
    )


def _steps(heights: Sequence[float]) -> str:
    """Return a path that holds each day's level for the day, and turns only where it changes."""
    path = f"M0 {heights[0]:g}"
    for day, height in enumerate(heights):
        if day and height != heights[day - 1]:
            path += f"H{day}V{height:g}"
    return f"{path}H{len(heights)}"


def _levels(lowest: int, highest: int) -> Sequence[int]:
    """Return round numbers from below the lowest to above the highest, a few; from nothing if that is near."""
    if 0 < lowest <= highest / 2:
        lowest = 0
    highest = max(highest, lowest + LINES_MAX)
    step = next(step for step in _round_steps() if -(-highest // step) - lowest // step <= LINES_MAX)
    return range(lowest // step * step, -(-highest // step) * step + 1, step)


def _round_steps() -> Sequence[int]:
    return [digit * 10**zeros for zeros in range(25) for digit in (1, 2, 5)]


def _months(first_day: date, width: int) -> Sequence[Mark]:
    days = ((number, first_day + timedelta(days=number)) for number in range(width))
    marks = [Mark(round(100 * number / width, 2), f"{day:%b}") for number, day in days if day.day == 1]
    return [mark for mark in marks if mark.at <= MONTH_ROOM]
