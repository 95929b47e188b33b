"""The commands about days: settle and excuse."""

import os
from typing import Annotated

import typer

from .arguments import Json, day, examples
from .jsonable import of_excused, of_settled, say_json
from .settings import Settings
from .wiring import opened

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog=examples("Examples:", "trc-engage settle", "trc-engage settle --accept-quiet 2026-03-04"))
def settle(
    *,
    accept_quiet: Annotated[
        str | None, typer.Option(metavar="DAY", help="Nobody's XP rose on that day, and that is right.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Settle the days that are over.

    Each day once, oldest first: who was active has a longer streak, who was not has lost it. A day waits,
    and nobody's streak breaks, until a good sync has begun after its end; safe to repeat.
    """
    accepted = None if accept_quiet is None else day("accept-quiet", accept_quiet)
    with opened(Settings.from_mapping(os.environ)) as engage:
        report = engage.settle(accept_quiet=accepted)
    if as_json:
        say_json(of_settled(report))
    else:
        from .sentences.streaks import say_settled  # noqa: PLC0415

        say_settled(report, accepted)


@app.command(
    epilog=examples(
        "Examples:", "trc-engage excuse 2026-12-25 --reason Christmas", "trc-engage excuse 2026-12-25 --undo"
    )
)
def excuse(
    excused: Annotated[str, typer.Argument(metavar="DAY", help="A weekday, settled or not, such as 2026-12-25.")],
    *,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; needed unless it is undone.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Require the day again.")] = False,
    as_json: Json = False,
) -> None:
    """Excuse a weekday: it breaks nobody's streak.

    For whoever was active on it, it counts like any other. Streaks that it changes are derived anew.
    """
    if (reason is None) != undo:
        raise typer.BadParameter("give --reason to excuse the day, or --undo to require it again")
    the_day = day("day", excused)
    with opened(Settings.from_mapping(os.environ)) as engage:
        report = engage.unexcuse(the_day) if reason is None else engage.excuse(the_day, reason=reason)
    if as_json:
        say_json(of_excused(report))
    else:
        from .sentences.streaks import say_excused  # noqa: PLC0415

        say_excused(report)
