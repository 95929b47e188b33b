"""A member's last weeks as a calendar, readable without colours."""

from collections.abc import Sequence
from datetime import date, timedelta

from ...core.views import Mark, MemberDay
from ..text import say, say_coloured

WEEKS = 12
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CELL = 3
MARGIN = " " * 5
LEGEND = "# active  x missed  e excused  ? not settled yet  - weekend  + active  [ ] today"

SIGNS: dict[Mark, str] = {"active": "#", "missed": "x", "excused": "e", "weekend": "-", "pending": "?", "before": " "}
STYLES: dict[str, str] = {"#": "green", "+": "green", "x": "red", "e": "cyan", "?": "yellow"}


def first_of_weeks(today: date) -> date:
    """Return the Monday on which the calendar begins."""
    return today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))


def say_weeks(days: Sequence[MemberDay]) -> None:
    """Draw the days from a Monday to today: weeks side by side, weekdays one below the other."""
    today, signs = days[-1].day, _signs(days)
    mondays = [day.day for day in days[::7]]
    say(f"{MARGIN}{_months(mondays)}", MARGIN + "".join(f"{monday.day:>2} " for monday in mondays).rstrip())
    rows = []
    for weekday, name in enumerate(WEEKDAYS):
        in_row = zip(days[weekday::7], signs[weekday::7], strict=True)
        cells = [(_cell(sign, is_today=day.day == today), STYLES.get(sign, "")) for day, sign in in_row]
        rows.append([(f"{name}  ", ""), *cells])
    say_coloured(rows)
    say("", LEGEND)


def _signs(days: Sequence[MemberDay]) -> list[str]:
    """Return the sign of each day; before the member's first one the weekends are blank too."""
    is_told = False
    signs = []
    for day in days:
        is_told = is_told or day.is_active or day.mark not in {"before", "weekend"}
        active_weekend = day.mark == "weekend" and day.is_active
        signs.append("+" if active_weekend else SIGNS[day.mark] if is_told else " ")
    return signs


def _months(mondays: Sequence[date]) -> str:
    """Return the months above the weeks they begin in; one of a single week has no room."""
    line = ""
    for number, monday in enumerate(mondays):
        begins = number == 0 or monday.month != mondays[number - 1].month
        if begins and all(later.month == monday.month for later in mondays[number + 1 : number + 2]):
            line = f"{line:<{number * CELL}}{monday:%b}"
    return line


def _cell(sign: str, *, is_today: bool) -> str:
    return f"[{sign}]" if is_today else f" {sign} "
