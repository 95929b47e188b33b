"""Who leads, as a table."""

from collections.abc import Sequence
from datetime import date

from ...core.views import Rank, Standing
from ..text import counted, say, say_table
from .members import named


def say_ranks(ranks: Sequence[Rank], month: date | None) -> None:
    """Show the top of the leaderboard; equal points share a rank."""
    say(f"leaderboard, {'all time' if month is None else f'{month:%B %Y} (UTC)'}", "")
    if not ranks:
        say("nobody to show yet; enrol members (`trc-engage members enroll --help`)")
        return
    say_table(
        ("rank", "member", "name", "points"),
        [(f"{one.rank:,}", one.member_id, one.name or "", f"{one.points:,}") for one in ranks],
        right={"rank", "points"},
    )


def say_own_rank(own: Rank, standing: Standing, ranks: Sequence[Rank]) -> None:
    """Say a member's own rank, and why the list above does not hold it."""
    listed = any(one.member_id == own.member_id for one in ranks)
    place = ""
    if standing.is_hidden:
        place = ", hidden from the list"
    elif not listed:
        place = ", outside this list"
    say("", f"{named(standing)}: rank {own.rank:,} with {counted(own.points, 'point')}{place}")
