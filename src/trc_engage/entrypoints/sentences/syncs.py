"""What a sync did, in words."""

from collections.abc import Sequence

from ...core.boards import named
from ...core.model import Move
from ...core.reports import SyncReport
from ..text import counted, moment, points, safe, say, say_table, signed
from .entries import xp_moved
from .streaks import say_late

MOVES_SHOWN_MAX = 50


def say_report(report: SyncReport) -> None:
    """Say what a sync did, or would do."""
    if report.outcome == "cached":
        say(
            f"nothing read: the last reading, of {moment(report.taken_at)} UTC, is less than 5 minutes old "
            "and still stands (--fresh reads all the same)"
        )
        return
    done = "dry run, nothing written: the sync would bring" if report.outcome == "planned" else "synced:"
    say(f"{done} {points(report.points)}")
    say(f"accounts: {_tally(report)}")
    if report.pages:
        say(f"board of {moment(report.taken_at)} UTC: {counted(report.rows, 'row')} in {counted(report.pages, 'page')}")
    say_late(report.late)
    if report.moves:
        _say_moves(report.moves)


def adoption(shown: SyncReport, known: str | None) -> str:
    """Return what adopting a board would do, for whoever decides on it (R24)."""
    began, missing = shown.rebased + shown.opened, shown.absent
    return safe(
        f"{named(shown.board_id)} ({counted(shown.rows, 'row')}) would take the place of {named(known)}: of "
        f"{counted(began + missing + shown.missed, 'account')} {began:,} would count on from what it shows, "
        f"{missing:,} are not on it and would begin at 0 XP, and {shown.missed:,} would wait for the next reading. "
        "All points stay; what was earned since the last sync is not paid"
    )


def _tally(report: SyncReport) -> str:
    told = ", ".join(f"{count:,} {name}" for name, count in report.counts.items() if count)
    return told or "none to look for; enrol members with their Discord ids (`trc-engage members enroll --help`)"


def _say_moves(moves: Sequence[Move]) -> None:
    say("")
    say_table(
        ("member", "points", "what would happen"),
        [(move.account.member_id, signed(move.points), _step(move)) for move in moves[:MOVES_SHOWN_MAX]],
        right={"points"},
    )
    if len(moves) > MOVES_SHOWN_MAX:
        say(f"… and {len(moves) - MOVES_SHOWN_MAX:,} more (all of them with --json)")


def _step(move: Move) -> str:
    before, after = move.account.xp_total, move.xp_total
    if move.kind == "opening":
        return f"opening at {after:,} XP"
    if before == after:
        return f"{move.status}, {after:,} XP kept"
    return f"{move.kind or 'short of a point'}: {xp_moved(before, after)}"
