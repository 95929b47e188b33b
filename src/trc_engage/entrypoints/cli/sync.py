"""The commands sync and roster: read the board or ask the roster, and record the result."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, TextIO

import typer

from ...core.boards import named
from ...core.errors import EngageError
from ...core.model import Move
from ...core.reports import RosterReport, SyncReport
from ...engage import Engage
from ..settings import DISCORD_TOKEN, SettingsError
from ..wire.runs import RosterRound, Synced, SyncFailure
from ..wiring import opened, opened_roster, opened_with_source
from ..wording import counted, moment, points, safe, signed, tally, xp_moved
from ..wording.alerts import describe_error
from .days import print_changed_streaks
from .options import (
    By,
    Json,
    Reason,
    WrongUsage,
    check_decided,
    code_of,
    command,
    flag,
    group_of,
    is_asked,
    option,
    settings_in_force,
)
from .output import ask, endless_bar, print_error, print_json, print_lines, print_result, print_table


@command(
    "trc-engage sync --dry-run       shows what would happen",
    'trc-engage sync --json          for cron: "outcome" is synced, cached or failed',
    "trc-engage sync --rebase-drops --by admin-7 --reason 'a new season'",
    "trc-engage sync --adopt-board --by admin-7 --reason 'our server moved'",
)
def sync(
    *,
    dry_run: Annotated[bool, flag("--dry-run", "Read and show the plan, but write nothing.")] = False,
    fresh: Annotated[bool, flag("--fresh", "Read even if the last reading is less than 5 minutes old.")] = False,
    accept_drops: Annotated[bool, flag("--accept-drops", "Accept that XP fell, and deduct the points.")] = False,
    rebase_drops: Annotated[bool, flag("--rebase-drops", "XP was reset for a new season: keep all points.")] = False,
    adopt_board: Annotated[bool, flag("--adopt-board", "Switch to another leaderboard; all points stay.")] = False,
    by: Annotated[str | None, option("WHO", "Who decides about drops or the board.")] = None,
    reason: Annotated[str | None, option("TEXT", "Why; members can read it.")] = None,
    yes: Annotated[bool, flag("--yes", "Decide without being asked; required without a terminal.")] = False,
    as_json: Json = False,
) -> None:
    """Read the leaderboard and post the points.

    Each linked member gets 1 point per 100 XP earned since the last sync, and the remainder is carried. A
    member's first sync only records the XP: what was earned before it pays nothing. Nothing changes if the leaderboard
    cannot be read in full, would take points from many members at once, or is another one than before. An admin can
    decide what to do then, with --by and --reason; you see what that does, and are asked.
    """
    meant = {"accept_drops": accept_drops, "rebase_drops": rebase_drops, "adopt_board": adopt_board}
    decisions = [kind for kind, is_meant in meant.items() if is_meant]
    if len(decisions) > 1:
        raise WrongUsage("pass only one of --accept-drops, --rebase-drops and --adopt-board")
    if not decisions and (by or reason or yes):
        raise WrongUsage("--by, --reason and --yes go with --accept-drops, --rebase-drops or --adopt-board")
    how: dict[str, Any] = {"by": by, "reason": reason, **dict.fromkeys(decisions, True)}
    if decisions and not dry_run:
        how["shown"] = _decided_on(decisions[0], how, yes=yes)
    try:
        with _opened() as engage:
            report = engage.sync(dry_run=dry_run, fresh=fresh, **how)
    except EngageError as error:
        if as_json:
            print_json(SyncFailure.of_error(error, outcome="failed", dry_run=dry_run))
        raise
    print_result(Synced.of(report), lambda: print_report(report), as_json=as_json)


DECISIONS = {
    "accept_drops": "takes the points for all XP that fell",
    "rebase_drops": "counts on from XP that fell, and pays nothing for earning it again",
    "adopt_board": "makes every member's XP count on from another board",
}
"""What each decision does."""


def _decided_on(kind: str, how: Mapping[str, Any], *, yes: bool) -> SyncReport | None:
    """Show what a decision would do, and ask for confirmation; without a terminal, refuse (R27)."""
    name = f"--{kind.replace('_', '-')}"
    check_decided(name, {"by": how["by"], "reason": how["reason"]})
    if not is_asked(f"{name} {DECISIONS[kind]}", yes=yes):
        return None
    with _opened() as engage:
        known = engage.status().board_id
        shown = engage.sync(dry_run=True, **{**how, "by": None, "reason": None})
    # No lease is held while you decide: on yes the board is read again.
    ask(adoption(shown, known) if kind == "adopt_board" else drops(shown), f"Do it ({name})?")
    return shown


@contextmanager
def _opened() -> Iterator[Engage]:
    """Open the store and the source, with a progress bar for long reads."""
    with progress(sys.stderr) as on_page, opened_with_source(settings_in_force(), on_page=on_page) as engage:
        yield engage


NOBODY = "none to sync; enroll members with their Discord ids (`trc-engage members enroll --help`)"
MOVES_SHOWN_MAX = 50


def print_report(report: SyncReport) -> None:
    """Print what a sync did, or would do."""
    if report.outcome == "cached":
        print_lines(
            f"nothing read: the last reading, from {moment(report.taken_at)} UTC, is less than 5 minutes old "
            "(--fresh reads anyway)"
        )
        return
    done = "dry run, nothing written: the sync would post" if report.outcome == "planned" else "synced:"
    print_lines(f"{done} {points(report.points)}")
    print_lines(f"accounts: {tally(report.counts) or NOBODY}")
    if report.pages:
        print_lines(
            f"board at {moment(report.taken_at)} UTC: {counted(report.rows, 'row')} in {counted(report.pages, 'page')}"
        )
    print_changed_streaks(report.late)
    if report.moves:
        _print_moves(report.moves)


def drops(shown: SyncReport) -> str:
    """Return what a decision about fallen XP would do (R10)."""
    lowered = f"{counted(shown.deducted, 'member')} would lose points, {shown.rebased:,} would keep them and count on"
    return f"{lowered} from lower XP, {shown.absent:,} are not on the board; {points(shown.points)} in all"


def adoption(shown: SyncReport, known: str | None) -> str:
    """Return what adopting a board would do (R24)."""
    began, missing = shown.rebased + shown.opened, shown.absent
    return safe(
        f"{named(shown.board_id)} ({counted(shown.rows, 'row')}) would replace {named(known)}: of "
        f"{counted(began + missing + shown.missed, 'account')} {began:,} would count on from the XP that it shows, "
        f"{missing:,} are not on it and would start at 0 XP, and {shown.missed:,} would wait for the next reading. "
        "All points stay; XP earned since the last sync is not paid"
    )


def _print_moves(moves: Sequence[Move]) -> None:
    print_lines("")
    rows = [(move.account.member_id, signed(move.points), _step(move)) for move in moves[:MOVES_SHOWN_MAX]]
    print_table(("member", ">points", "what would happen"), rows)
    if len(moves) > MOVES_SHOWN_MAX:
        print_lines(f"… and {len(moves) - MOVES_SHOWN_MAX:,} more (all of them with --json)")


def _step(move: Move) -> str:
    before, after = move.account.xp_total, move.xp_total
    if move.kind == "opening":
        return f"opening at {after:,} XP"
    if before == after:
        return f"{move.status}, {after:,} XP kept"
    return f"{move.kind or 'short of a point'}: {xp_moved(before, after)}"


PAGES_WITHOUT_BAR = 1
"""A read this short ends before a bar would help."""


@contextmanager
def progress(stream: TextIO) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows the pages and rows read so far, if the stream is a terminal; there is no total."""
    with ExitStack() as stack:
        bar: Any = None

        def show(pages: int, rows: int) -> None:
            nonlocal bar
            if pages > PAGES_WITHOUT_BAR and stream.isatty():
                bar = bar or stack.enter_context(endless_bar(stream))
                bar.update(bar.task_ids[0], description=f"reading the board: {rows:,} rows, {pages:,} pages")

        yield show


app = group_of(
    "roster",
    "Ask Discord who is on the server.",
    "trc-engage roster check --dry-run",
    "trc-engage roster check --accept-departures --by admin-7 --reason 'the old members left'",
)
NO_TOKEN = "is not set; set it to the token of a bot that is on your Discord server"  # noqa: S105


@command("trc-engage roster check --dry-run", group=app)
def check(
    *,
    dry_run: Annotated[bool, flag("--dry-run", "Ask about the members who are due, but write nothing.")] = False,
    accept_departures: Annotated[bool, flag("--accept-departures", "Accept that many members have left.")] = False,
    by: By = None,
    reason: Reason = None,
    yes: Annotated[bool, flag("--yes", "Accept without being asked; required without a terminal.")] = False,
    as_json: Json = False,
) -> None:
    """Ask for the members who are due, for a minute at most, and note who left and who is back.

    A member has left when Discord has said so twice, at least an hour apart, and a sync was good since. The
    daemon does the same by itself, spread over the day. If more than a tenth of the members are gone at once,
    nothing is noted until you accept it.
    """
    must_ask = False
    if accept_departures and not dry_run:
        check_decided("--accept-departures", {"by": by, "reason": reason})
        must_ask = is_asked("--accept-departures notes everyone as left whom Discord calls gone", yes=yes)
    settings = settings_in_force()
    if settings.discord_token is None:
        raise SettingsError(DISCORD_TOKEN, None, NO_TOKEN)
    # The command prints what the log would say.
    logging.getLogger("trc_engage").addHandler(logging.NullHandler())
    with opened_roster(settings) as asked, opened(settings, roster=asked) as engage:
        if must_ask:
            print_round(engage.check_roster(dry_run=True, accept_departures=True))
            ask("they are noted as left, and their XP is no longer synced", "Accept it?")
        report = engage.check_roster(dry_run=dry_run, accept_departures=accept_departures, by=by, reason=reason)
    if as_json:
        print_json(RosterRound.of(report))
    else:
        print_round(report)
    if report.error is not None:
        if not as_json:
            print_error(describe_error(report.error))
        raise typer.Exit(code_of(report.error))


def print_round(report: RosterReport) -> None:
    """Print what a round did, or would do."""
    done = "dry run, nothing written: " if report.outcome == "planned" else ""
    unclear = f", {report.unknown:,} without a clear answer" if report.unknown else ""
    print_lines(f"{done}{counted(report.asked, 'member')} asked for on server {report.guild_id}{unclear}")
    if not report.asked and report.next_at is not None and report.next_at > report.at:
        print_lines(f"no one is due before {moment(report.next_at)} UTC")
    for what, members in (
        ("left", report.left),
        ("returned", report.returned),
        ("never left, and is as before", report.never_left),
        ("recorded otherwise by hand; see `trc-engage status`", report.contradicted),
    ):
        print_lines(*(f"{safe(member)}: {what}" for member in members))
    if report.unconfirmed:
        waits = "they are noted once Discord says so again, at least an hour later, and a sync has succeeded"
        print_lines(f"{counted(report.unconfirmed, 'member')} gone and not noted; {waits}")
