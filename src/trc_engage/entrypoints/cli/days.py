"""The commands settle and excuse."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from ...core.reports import ExcuseReport, SettleReport, StreakChange
from ..wire.runs import Excused, Settled
from ..wiring import opened
from ..wording import changed, counted, dated, describe_pending, safe
from .options import Json, command, day, settings_in_force
from .output import print_json, print_lines


@command("trc-engage settle", "trc-engage settle --accept-quiet 2026-03-04")
def settle(
    *,
    accept_quiet: Annotated[
        str | None, typer.Option(metavar="DAY", help="Settle this day although nobody's XP rose on it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Settle the days that are over.

    Each day is settled once, oldest first: members who were active extend their streak, the others lose it.
    A day waits until a good sync has started after its end, and no streak breaks meanwhile. You can safely
    repeat the command.
    """
    accepted = None if accept_quiet is None else day("accept-quiet", accept_quiet)
    with opened(settings_in_force()) as engage:
        report = engage.settle(accept_quiet=accepted)
    if as_json:
        print_json(Settled.of(report))
    else:
        print_settled(report, accepted)


@command("trc-engage excuse 2026-12-25 --reason Christmas", "trc-engage excuse 2026-12-25 --undo")
def excuse(
    excused: Annotated[str, typer.Argument(metavar="DAY", help="A weekday such as 2026-12-25, settled or not.")],
    *,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; required without --undo.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Make it a required day again.")] = False,
    as_json: Json = False,
) -> None:
    """Excuse a weekday, so that it breaks no streak.

    For members who were active on it, it still counts. Streaks that this changes are recomputed.
    """
    if (reason is None) != undo:
        raise typer.BadParameter("give --reason to excuse the day, or --undo to require it again")
    the_day = day("day", excused)
    with opened(settings_in_force()) as engage:
        report = engage.unexcuse(the_day) if reason is None else engage.excuse(the_day, reason=reason)
    if as_json:
        print_json(Excused.of(report))
    else:
        print_excused(report)


CHANGES_SHOWN_MAX = 5
DAYS_SHOWN_MAX = 10


def print_changed_streaks(changes: Sequence[StreakChange]) -> None:
    """Print the streaks that changed, if any."""
    if not changes:
        return
    print_lines(f"{counted(len(changes), 'streak')} changed:")
    print_lines(*(f"  {safe(change.member_id)}: {changed(change)}" for change in changes[:CHANGES_SHOWN_MAX]))
    if len(changes) > CHANGES_SHOWN_MAX:
        print_lines(f"  … and {len(changes) - CHANGES_SHOWN_MAX:,} more (all of them with --json)")


def print_settled(report: SettleReport, accepted: date | None) -> None:
    """Print which days were settled, which are pending, and why."""
    nothing = "no day" if report.pending else "nothing; every day that is over is already settled"
    print_lines(f"settled: {_listed(report.settled) or nothing}")
    if accepted is not None and accepted not in report.settled:
        print_lines(f"--accept-quiet had no effect: {dated(accepted)} is not the day that waits for it")
    if report.pending:
        first, *others = report.pending
        # The later days wait for the first one or for the same sync, so one reason is enough.
        print_lines(f"pending: {describe_pending(first)}")
        if others:
            print_lines(f"behind it: {_listed([pending.day for pending in others])}")


def print_excused(report: ExcuseReport) -> None:
    """Print what changed about a day, and whose streak that changed."""
    outcomes = {
        "excused": "is excused: it breaks no streak",
        "required": "is required again",
        "unchanged": "is unchanged: nothing to do",
    }
    print_lines(f"{dated(report.day)} {outcomes[report.outcome]}")
    if report.outcome != "unchanged" and not report.late:
        print_lines("no streak changed")
    print_changed_streaks(report.late)


def _listed(days: Sequence[date]) -> str:
    if len(days) > DAYS_SHOWN_MAX:
        return f"{len(days):,} days, {dated(days[0])} to {dated(days[-1])}"
    return ", ".join(dated(day) for day in days)
