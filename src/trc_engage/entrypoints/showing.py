"""The show command: where one member stands."""

import os

import typer

from .arguments import Json, Member, examples
from .jsonable import of_standing, say_json
from .settings import Settings
from .wiring import now, opened_to_read

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog=examples("Examples:", "trc-engage show m-1", "trc-engage show m-1 --json"))
def show(member: Member, *, as_json: Json = False) -> None:
    """Show a member's points, streak and last 12 weeks.

    The streak counts the weekdays in a row on which anything was earned, up to the last day that is
    settled; weekends and excused days never break it.
    """
    with opened_to_read(Settings.from_mapping(os.environ)) as reader:
        standing = reader.standing(member)
        if as_json:
            say_json(of_standing(standing))
            return
        from .sentences.members import say_standing  # noqa: PLC0415
        from .sentences.streaks import say_streak  # noqa: PLC0415
        from .sentences.weeks import first_of_weeks, say_weeks  # noqa: PLC0415

        today = now().date()
        days = reader.days(member, first_of_weeks(today), today)
    say_standing(standing)
    if standing.streak is not None:
        say_streak(standing.streak)
    typer.echo()
    say_weeks(days)
