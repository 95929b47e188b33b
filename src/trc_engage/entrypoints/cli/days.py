"""The commands about days: settle and excuse; and streaks in words."""

import os
from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from ...core.reports import ExcuseReport, SettleReport, StreakChange
from ..settings import Settings
from ..wire.runs import Excused, Settled
from ..wiring import opened
from ..wording import changed, counted, dated, describe_pending, safe
from .options import Json, day, examples
from .output import print_json, print_lines

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
        print_json(Settled.of(report))
    else:
        print_settled(report, accepted)


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
        print_json(Excused.of(report))
    else:
        print_excused(report)


CHANGES_SHOWN_MAX = 5
DAYS_SHOWN_MAX = 10


def print_changed_streaks(changes: Sequence[StreakChange]) -> None:
    """Say which streaks late news changed; nothing if there are none."""
    if not changes:
        return
    print_lines(f"{counted(len(changes), 'streak')} changed:")
    print_lines(*(f"  {safe(change.member_id)}: {changed(change)}" for change in changes[:CHANGES_SHOWN_MAX]))
    if len(changes) > CHANGES_SHOWN_MAX:
        print_lines(f"  … and {len(changes) - CHANGES_SHOWN_MAX:,} more (all of them with --json)")


def print_settled(report: SettleReport, accepted: date | None) -> None:
    """Say which days were settled, which are pending, and what decides those."""
    nothing = "no day" if report.pending else "nothing to do; every day that is over is settled"
    print_lines(f"settled: {_listed(report.settled) or nothing}")
    if accepted is not None and accepted not in report.settled:
        print_lines(f"--accept-quiet decided nothing: {dated(accepted)} was not the day that waits for it")
    if report.pending:
        first, *others = report.pending
        # The days behind the first wait for it or for the same sync: one reason is enough.
        print_lines(f"pending: {describe_pending(first)}")
        if others:
            print_lines(f"behind it: {_listed([pending.day for pending in others])}")


def print_excused(report: ExcuseReport) -> None:
    """Say what became of a day, and whose streak it changed."""
    outcomes = {
        "excused": "is excused: it breaks no streak",
        "required": "is required again",
        "unchanged": "is unchanged: it is so already",
    }
    print_lines(f"{dated(report.day)} {outcomes[report.outcome]}")
    if report.outcome != "unchanged" and not report.late:
        print_lines("no streak changed")
    print_changed_streaks(report.late)


def _listed(days: Sequence[date]) -> str:
    if len(days) > DAYS_SHOWN_MAX:
        return f"{len(days):,} days, {dated(days[0])} to {dated(days[-1])}"
    return ", ".join(dated(day) for day in days)
