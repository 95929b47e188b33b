"""The commands show and leaderboard: a member's points, streak and last weeks, and who leads."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Literal

import typer

from ...core.reports import DiscordStanding, Mark, MemberDay, Rank, Standing
from ...core.streaks import StreakStanding
from ..stores import now, opened_to_read
from ..wire import members as wire
from ..wire.members import Leaderboard
from ..wording import STATUSES, counted, named, presence, safe
from .options import Json, Member, WrongUsage, command, flag, month as month_of, option, settings_in_force
from .output import print_json, print_lines, print_result, print_styled, print_table


@command("trc-engage show m-1", "trc-engage show m-1 --json")
def show(member: Member, *, as_json: Json = False) -> None:
    """Show a member's points, streak and last 12 weeks.

    The streak counts weekdays in a row on which the member earned anything, up to the last settled day.
    Weekends and excused days do not break it.
    """
    with opened_to_read(settings_in_force()) as reader:
        member = reader.resolve(member)
        standing = reader.standing(member)
        if as_json:
            print_json(wire.Standing.of(standing))
            return
        check, today = reader.presence(member), now().date()
        days = reader.days(member, first_of_weeks(today), today)
    print_standing(standing)
    if check is not None:
        print_lines(f"roster: {presence(check, now())}")
    if standing.streak is not None:
        print_streak(standing.streak)
    typer.echo()
    print_weeks(days)


def print_standing(standing: Standing) -> None:
    """Print a member's points and Discord account."""
    by_source = ", ".join(f"{safe(source)} {amount:,}" for source, amount in standing.points_by_source.items())
    print_lines(f"{named(standing)}: {counted(standing.points, 'point')}{by_source and f' ({by_source})'}")
    if standing.is_forgotten:
        print_lines("name and Discord ids were erased; points and entries stay")
    elif standing.discord is None:
        print_lines("no Discord account linked")
    else:
        print_lines(*_account(standing.discord))


def _account(discord: DiscordStanding) -> tuple[str, ...]:
    account = f"Discord {discord.discord_id}: {STATUSES[discord.status]}"
    if discord.status == "waiting":
        return (account,)
    return (
        account,
        f"{discord.xp_total:,} XP, {discord.xp_carried} carried; {discord.xp_to_next_point} more to the next point",
    )


def print_streak(streak: StreakStanding) -> None:
    """Print a member's streak, and what it needs."""
    today = "active today" if streak.active_today else "nothing yet today"
    print_lines(f"streak: {counted(streak.current, 'weekday')}, {today}")
    if streak.at_risk:
        print_lines("  at risk: something must be earned on each weekday that is not settled yet")
    to_come = "all milestones reached" if streak.next_milestone is None else f"next milestone {streak.next_milestone}"
    print_lines(f"longest: {counted(streak.longest, 'weekday')}, {to_come}")


WEEKS = 12
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CELL = 3
MARGIN = " " * 5
LEGEND = (
    "# active  x missed  o not watched, or only in part  e excused  ? not settled yet",
    "- weekend  + active on a weekend  [ ] today",
)

SIGNS: dict[Mark, str] = {
    "active": "#",
    "missed": "x",
    "not_watched": "o",
    "excused": "e",
    "weekend": "-",
    "pending": "?",
    "before": " ",
}
STYLES: dict[str, str] = {"#": "green", "+": "green", "x": "red", "o": "yellow", "e": "cyan", "?": "yellow"}


def first_of_weeks(today: date) -> date:
    """Return the Monday on which the calendar starts."""
    return today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))


def print_weeks(days: Sequence[MemberDay]) -> None:
    """Print the days from a Monday to today, a column for each week."""
    today, signs = days[-1].day, _signs(days)
    mondays = [day.day for day in days[::7]]
    print_lines(f"{MARGIN}{_months(mondays)}", MARGIN + "".join(f"{monday.day:>2} " for monday in mondays).rstrip())
    rows = []
    for weekday, name in enumerate(WEEKDAYS):
        in_row = zip(days[weekday::7], signs[weekday::7], strict=True)
        cells = [(_cell(sign, is_today=day.day == today), STYLES.get(sign, "")) for day, sign in in_row]
        rows.append([(f"{name}  ", ""), *cells])
    print_styled(rows)
    print_lines("", *LEGEND)


def _signs(days: Sequence[MemberDay]) -> list[str]:
    """Return the sign of each day; before the member's first one the weekends are blank too."""
    has_begun = False
    signs = []
    for day in days:
        has_begun = has_begun or day.is_active or day.mark not in {"before", "weekend"}
        active_weekend = day.mark == "weekend" and day.is_active
        signs.append("+" if active_weekend else SIGNS[day.mark] if has_begun else " ")
    return signs


def _months(mondays: Sequence[date]) -> str:
    """Return the months above the weeks in which they begin; a month of one week has no room."""
    line = ""
    for number, monday in enumerate(mondays):
        begins = number == 0 or monday.month != mondays[number - 1].month
        if begins and all(later.month == monday.month for later in mondays[number + 1 : number + 2]):
            line = f"{line:<{number * CELL}}{monday:%b}"
    return line


def _cell(sign: str, *, is_today: bool) -> str:
    return f"[{sign}]" if is_today else f" {sign} "


@command(
    "trc-engage leaderboard",
    "trc-engage leaderboard --month 2026-03 --limit 10",
    "trc-engage leaderboard --member m-1",
    "trc-engage leaderboard --by streak",
)
def leaderboard(
    *,
    by: Annotated[Literal["points", "streak"], typer.Option(help="What decides the rank.")] = "points",
    month: Annotated[str | None, option("MONTH", "Count only the points of one UTC month, such as 2026-03.")] = None,
    limit: Annotated[int, option("N", "How many members to show.", min=1, max=10_000)] = 25,
    member: Annotated[str | None, option("MEMBER", "Also show the rank of this member.")] = None,
    present: Annotated[bool, flag("--present", "Leave out members who left Discord.")] = False,
    as_json: Json = False,
) -> None:
    """Show the leaderboard, by points or by current streaks.

    Members with equal points or streaks share a rank: 1, 1, 3. Hidden members (`trc-engage members hide`) are not
    listed, but --member still shows their rank. Members who left Discord are marked.
    """
    if by == "streak" and (month is not None or member is not None):
        raise WrongUsage("--month and --member go with --by points")
    first = None if month is None else month_of("month", month)
    with opened_to_read(settings_in_force()) as reader:
        member = None if member is None else reader.resolve(member)
        own = None if member is None else reader.rank(member, month=first, present=present)
        standing = None if member is None else reader.standing(member)
        if by == "streak":
            ranks = reader.longest_streaks(limit=limit, present=present)
        else:
            ranks = reader.leaderboard(month=first, limit=limit, present=present)

    def text() -> None:
        if by == "streak":
            print_ranks("longest current streaks, in weekdays", ranks, "streak", "no current streaks yet")
        else:
            period = "all time" if first is None else f"{first:%B %Y} (UTC)"
            print_ranks(f"leaderboard, {period}", ranks, "points", NOBODY)
        if own is not None and standing is not None:
            print_own_rank(own, standing, ranks)

    print_result(Leaderboard.of_month(first, ranks, own), text, as_json=as_json)


NOBODY = "nobody to show yet; enroll members (`trc-engage members enroll --help`)"


def print_ranks(heading: str, ranks: Sequence[Rank], column: str, nobody: str) -> None:
    """Print the top of a leaderboard; the column is also the attribute that decides."""
    print_lines(heading, "")
    if not ranks:
        print_lines(nobody)
        return
    names = (" ".join(filter(None, (one.name, "(left)" if one.has_left else ""))) for one in ranks)
    rows = [(one.rank, one.member_id, name, getattr(one, column)) for one, name in zip(ranks, names, strict=True)]
    print_table((">rank", "member", "name", f">{column}"), rows)


def print_own_rank(own: Rank, standing: Standing, ranks: Sequence[Rank]) -> None:
    """Print a member's rank, and why the list above does not show it."""
    is_listed = any(one.member_id == own.member_id for one in ranks)
    place = ", hidden from the list" if standing.is_hidden else "" if is_listed else ", outside this list"
    print_lines("", f"{named(standing)}: rank {own.rank:,} with {counted(own.points, 'point')}{place}")
