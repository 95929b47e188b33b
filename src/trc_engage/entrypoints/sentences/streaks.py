"""Streaks, and the days that are settled, pending or excused, in words."""

from collections.abc import Sequence
from datetime import date

from ...core.reports import ExcuseReport, SettleReport, StreakChange
from ...core.streaks import StreakStanding
from ..text import counted, dated, safe, say

CHANGES_SHOWN_MAX = 5
DAYS_SHOWN_MAX = 10


def say_streak(streak: StreakStanding) -> None:
    """Say how long a member's streak is, and what it needs."""
    today = "active today" if streak.active_today else "nothing today so far"
    say(f"streak: {counted(streak.current, 'weekday')}, {today}")
    if streak.at_risk:
        say("  at risk: every weekday that is not settled yet needs something earned on it")
    to_come = "every milestone reached" if streak.next_milestone is None else f"next milestone {streak.next_milestone}"
    say(f"longest: {counted(streak.longest, 'weekday')}, {to_come}")


def say_late(changes: Sequence[StreakChange]) -> None:
    """Say which streaks late news changed; nothing if there are none."""
    if not changes:
        return
    say(f"{counted(len(changes), 'streak')} changed:")
    say(*(f"  {safe(change.member_id)}: {changed(change)}" for change in changes[:CHANGES_SHOWN_MAX]))
    if len(changes) > CHANGES_SHOWN_MAX:
        say(f"  … and {len(changes) - CHANGES_SHOWN_MAX:,} more (all of them with --json)")


def changed(change: StreakChange) -> str:
    """Return how a streak changed."""
    current = _step(change.current_before, change.current_after)
    return f"current {current}, longest {_step(change.longest_before, change.longest_after)}"


def say_settled(report: SettleReport, accepted: date | None) -> None:
    """Say which days were settled, which are pending, and what decides those."""
    nothing = "no day" if report.pending else "nothing to do; every day that is over is settled"
    say(f"settled: {_listed(report.settled) or nothing}")
    if accepted is not None and accepted not in report.settled:
        say(f"--accept-quiet decided nothing: {dated(accepted)} was not the day that waits for it")
    if report.pending:
        first, *others = report.pending
        # The days behind the first wait for it or for the same sync: one reason is enough.
        say(f"pending: {first.why}")
        if others:
            say(f"behind it: {_listed([pending.day for pending in others])}")


def say_excused(report: ExcuseReport) -> None:
    """Say what became of a day, and whose streak it changed."""
    outcomes = {
        "excused": "is excused: it breaks no streak",
        "required": "is required again",
        "unchanged": "is unchanged: it is so already",
    }
    say(f"{dated(report.day)} {outcomes[report.outcome]}")
    if report.outcome != "unchanged" and not report.late:
        say("no streak changed")
    say_late(report.late)


def _step(before: int, after: int) -> str:
    return f"{before:,} → {after:,}" if before != after else f"{after:,}"


def _listed(days: Sequence[date]) -> str:
    if len(days) > DAYS_SHOWN_MAX:
        return f"{len(days):,} days, {dated(days[0])} to {dated(days[-1])}"
    return ", ".join(dated(day) for day in days)
