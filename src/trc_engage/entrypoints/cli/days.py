"""The commands settle, excuse and clock."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Annotated

from ...core.records import in_force
from ...core.reports import ClockReport, ExcuseReport, SettleReport, StreakChange
from ...engage import Engage
from ..stores import opened_to_read
from ..wire.runs import Clock, Excusals, Excused, Settled
from ..wiring import opened, opened_with_source
from ..wording import counted, dated, days_listed, moment, safe
from ..wording.alerts import describe_pending
from .options import (
    By,
    Json,
    Reason,
    WrongUsage,
    argument,
    check_decided,
    command,
    day,
    flag,
    group_of,
    is_asked,
    option,
    settings_in_force,
)
from .output import ask, print_lines, print_result, print_some, print_table


@command("trc-engage settle", "trc-engage settle --accept-quiet 2026-03-04 --by admin-7 --reason 'slow'")
def settle(
    *,
    accept_quiet: Annotated[str | None, option("DAY", "Settle this day even though nobody's XP rose on it.")] = None,
    by: Annotated[str | None, option("WHO", "Who decides that the day was that quiet.")] = None,
    reason: Annotated[str | None, option("TEXT", "Why; members can read it.")] = None,
    yes: Annotated[bool, flag("--yes", "Accept without being asked; required without a terminal.")] = False,
    as_json: Json = False,
) -> None:
    """Settle the days that are over.

    Each day is settled once, oldest first: members who were active extend their streak, the others lose it.
    A day waits until a good sync has started after its end, and no streak breaks meanwhile. You can safely
    repeat the command.
    """
    accepted = None if accept_quiet is None else day("accept-quiet", accept_quiet)
    if accepted is None and (by or reason or yes):
        raise WrongUsage("--by, --reason and --yes go with --accept-quiet")
    must_ask = False
    if accepted is not None:
        check_decided("--accept-quiet", {"by": by, "reason": reason})
        ends = "ends the streak of everyone who earned nothing that day"
        must_ask = is_asked(f"--accept-quiet {ends}", yes=yes, advice="to confirm, pass --yes")
    with opened(settings_in_force()) as engage:
        if must_ask and accepted is not None:
            streaks = [engage.standing(one.member_id).streak for one in engage.members()]
            held = counted(sum(one is not None and one.current > 0 for one in streaks), "member")
            ask(f"{held} with a streak: it ends for those who earned nothing on {dated(accepted)}", "Settle it?")
        report = engage.settle(accept_quiet=accepted, by=by, reason=reason)
    print_result(Settled.of(report), lambda: print_settled(report, accepted), as_json=as_json)


@command(
    "trc-engage excuse 2026-12-24 2026-12-25 --reason Christmas --by admin-7",
    "trc-engage excuse 2026-03-04 --member m-1 --reason ill --by admin-7",
    "trc-engage excuse 2026-12-24 --undo --reason mistake --by admin-7",
    "trc-engage excuse --list",
)
def excuse(
    days: Annotated[list[str] | None, argument("DAY…", "Weekdays such as 2026-12-25, settled or not.")] = None,
    *,
    member: Annotated[str | None, option("MEMBER", "Excuse this member alone.")] = None,
    reason: Annotated[str | None, option("TEXT", "Why; members can read it.")] = None,
    by: Annotated[str | None, option("WHO", "Who decided it.")] = None,
    note: Annotated[str | None, option("TEXT", "A note that only admins can read.")] = None,
    undo: Annotated[bool, flag("--undo", "Require the days again.")] = False,
    listed: Annotated[bool, flag("--list", "List the excused days.")] = False,
    as_json: Json = False,
) -> None:
    """Excuse weekdays, for everybody or for one member.

    Excused days break no streak. For members who were active on them, they still count. Streaks that this
    changes are recomputed.
    """
    if listed:
        if days or undo or any((reason, by, note)):
            raise WrongUsage("--list takes --member and --json only")
        _list(member, as_json=as_json)
        return
    if not days or by is None or reason is None:
        needed = {"DAY": days, "--by": by, "--reason": reason}
        missing = [name for name, value in needed.items() if not value]
        raise WrongUsage(f"{', '.join(missing)} missing: give days, --by and --reason, also with --undo")
    named = [day("day", text) for text in days]
    with opened(settings_in_force()) as engage:
        member = None if member is None else engage.resolve(member, exact=True)
        if undo:
            report = engage.unexcuse(*named, by=by, reason=reason, member_id=member, note=note)
        else:
            report = engage.excuse(*named, reason=reason, by=by, member_id=member, note=note)
    print_result(Excused.of(report), lambda: print_excused(report), as_json=as_json)


def _list(member: str | None, *, as_json: bool) -> None:
    """Print which days are excused, for whom and why; with a member, everybody's and that member's."""
    with opened_to_read(settings_in_force()) as reader:
        found = in_force(reader.excusals(None if member is None else reader.resolve(member)))
    rows = [(dated(one.day), one.member_id or "everybody", one.actor, one.reason, one.note) for one in found]
    headers = ("day", "member", "by", "reason", "note")
    print_result(Excusals.of(excusals=found), lambda: print_table(headers, rows), as_json=as_json)


CHANGES_SHOWN_MAX = 5
DAYS_SHOWN_MAX = 10


def print_changed_streaks(changes: Sequence[StreakChange]) -> None:
    """Print the streaks that changed, if any."""
    if changes:
        print_lines(f"{counted(len(changes), 'streak')} changed:")
        print_some([f"{change.member_id}: {changed(change)}" for change in changes], CHANGES_SHOWN_MAX)


def print_settled(report: SettleReport, accepted: date | None) -> None:
    """Print which days were settled, which are pending, and why."""
    nothing = "no day" if report.pending else "nothing; every day that is over is already settled"
    print_lines(f"settled: {days_listed(report.settled, DAYS_SHOWN_MAX) or nothing}")
    if accepted is not None and accepted not in report.settled:
        print_lines(f"--accept-quiet had no effect: {dated(accepted)} is not the day that waits for it")
    if report.pending:
        first, *others = report.pending
        # The later days wait for the first one or for the same sync, so one reason is enough.
        print_lines(f"pending: {describe_pending(first)}")
        if others:
            print_lines(f"behind it: {days_listed([pending.day for pending in others], DAYS_SHOWN_MAX)}")


def print_excused(report: ExcuseReport) -> None:
    """Print what changed about a day, and whose streak that changed."""
    whom = "" if report.member_id is None else f" for {safe(report.member_id)}"
    whose = "no streak" if report.member_id is None else "no streak of that member"
    outcome = f"excused{whom}: it breaks {whose}" if report.outcome == "excused" else f"required again{whom}"
    print_lines(*(f"{dated(one)} is {outcome}" for one in report.days))
    print_lines(*(f"{dated(one)} is unchanged{whom}: nothing to do" for one in report.unchanged))
    if report.outcome != "unchanged" and not report.late:
        print_lines("no streak changed")
    print_changed_streaks(report.late)


def changed(change: StreakChange) -> str:
    """Return how a streak changed."""
    current = _step(change.current_before, change.current_after)
    return f"current {current}, longest {_step(change.longest_before, change.longest_after)}"


def _step(before: int, after: int) -> str:
    return f"{before:,} → {after:,}" if before != after else f"{after:,}"


app = group_of(
    "clock",
    "Decide about a clock that jumped or ran ahead.",
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
    is_confirmed = report.outcome == "confirmed"
    said = "is confirmed: the next run goes on" if is_confirmed else "needs no confirmation: nothing to do"
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
    if is_asked("clock repair undoes what is dated later", yes=yes):
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
        return f"nothing in the store is later than {moment(report.at)} UTC: nothing to do"
    done = "brought back" if report.outcome == "repaired" else "dry run, nothing written: this would be brought back"
    return (
        f"{done} to {moment(report.at)} UTC: {counted(report.syncs, 'sync')}, whose points stay; "
        f"{counted(report.days, 'settled day')}, to be settled again; the activity of "
        f"{counted(report.accounts, 'account')}; {counted(report.awards, 'award')}, dated to now; and "
        f"{counted(report.others, 'other record')}"
    )
