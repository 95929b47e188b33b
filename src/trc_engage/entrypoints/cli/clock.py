"""The clock commands: what an admin decides where this machine's time and the ledger's do not go together."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from ...core.reports import ClockReport
from ...engage import Engage
from ..wire.runs import Clock
from ..wiring import opened, opened_with_source
from ..wording.plain import counted, moment
from .days import print_changed_streaks
from .options import By, Json, Reason, check_decided, command, flag, group_of, option, settings_in_force
from .output import ask, print_lines, print_result

app = group_of(
    "clock",
    "Decide about a clock that leapt ahead, or that ran ahead.",
    "trc-engage clock confirm --by admin-7 --reason 'the machine was off for three weeks'",
    "trc-engage clock repair --dry-run",
    "trc-engage clock repair --by admin-7 --reason 'the clock was two years ahead'",
)


@command("trc-engage clock confirm --by admin-7 --reason 'it was off for three weeks'", group=app)
def confirm(
    *,
    by: Annotated[str, option("WHO", "Who decides it, for the record.")],
    reason: Annotated[str, option("TEXT", "Why, for the record.")],
    as_json: Json = False,
) -> None:
    """Confirm that this machine's time is right, after nothing has run for more than 7 days.

    You need it only where the leaderboard's server tells no time. Compare the clock with one that you trust first.
    """
    with opened(settings_in_force()) as engage:
        report = engage.confirm_clock(by=by, reason=reason)
    said = "is confirmed: the next run goes on" if report.outcome == "confirmed" else "is not held back: nothing to do"
    print_result(Clock.of(report), lambda: print_lines(f"{moment(report.at)} UTC {said}"), as_json=as_json)


@command("trc-engage clock repair --dry-run", group=app)
def repair(
    *,
    dry_run: Annotated[bool, flag("--dry-run", "Show what it would do, but write nothing.")] = False,
    trust_clock: Annotated[
        bool, flag("--trust-clock", "You have compared this clock yourself; ask no server.")
    ] = False,
    by: By = None,
    reason: Reason = None,
    yes: Annotated[bool, flag("--yes", "Do it without asking; required without a terminal.")] = False,
    as_json: Json = False,
) -> None:
    """Undo what was done under a clock that ran ahead of this one.

    Entries and points stay. Days that were settled then are settled again, activity is dated to the time until
    now, and awards that are dated later are dated to now. This clock must be right: the leaderboard's
    server is asked, unless you say that you have compared it.
    """
    if dry_run:
        with opened(settings_in_force()) as engage:
            _print(engage.repair_clock(dry_run=True), as_json=as_json)
        return
    check_decided("clock repair", {"by": by, "reason": reason})
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("look at it with --dry-run first; to confirm, pass --yes")
        with opened(settings_in_force()) as engage:
            shown = engage.repair_clock(dry_run=True)
        ask(described(shown), "Undo it?")
    opener: Callable[..., AbstractContextManager[Engage]] = opened if trust_clock else opened_with_source
    with opener(settings_in_force()) as engage:
        _print(engage.repair_clock(by=by, reason=reason, trust_clock=trust_clock), as_json=as_json)


def _print(report: ClockReport, *, as_json: bool) -> None:
    def text() -> None:
        print_lines(described(report))
        print_changed_streaks(report.late)

    print_result(Clock.of(report), text, as_json=as_json)


def described(report: ClockReport) -> str:
    """Return what a repair did, or would do."""
    if report.outcome == "unchanged":
        return f"nothing lies ahead of {moment(report.at)} UTC: nothing to do"
    done = "brought back" if report.outcome == "repaired" else "dry run, nothing written: this would be brought back"
    return (
        f"{done} to {moment(report.at)} UTC: {counted(report.syncs, 'sync')}, whose points stay; "
        f"{counted(report.days, 'settled day')}, to be settled again; the activity of "
        f"{counted(report.accounts, 'account')}; {counted(report.awards, 'award')}, dated to now; and "
        f"{counted(report.others, 'other record')}"
    )
