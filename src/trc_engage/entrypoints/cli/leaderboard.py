"""The leaderboard command."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from ...core.reports import Rank, Standing
from ..stores import opened_to_read
from ..wire.members import Leaderboard
from ..wording.plain import counted, named
from .options import Json, command, flag, month as month_of, option, settings_in_force
from .output import print_lines, print_result, print_table


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
        raise typer.BadParameter("--month and --member go with --by points")
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
