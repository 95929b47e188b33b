"""Lines of the ledger, each explained."""

from collections.abc import Sequence

from ...core.entries import Entry
from ...core.views import Standing
from ..text import counted, moment, say, say_table, signed
from .members import named


def say_history(standing: Standing, entries: Sequence[Entry], limit: int) -> None:
    """Show a member's entries, each explained."""
    say(f"{named(standing)}: {counted(standing.points, 'point')}, newest entry first", "")
    say_table(
        ("entry", "at (UTC)", "points", "what happened"),
        [(f"{entry.position}", moment(entry.at), signed(entry.points), explained(entry)) for entry in entries],
        right={"entry", "points"},
    )
    if len(entries) == limit:
        say("", f"older ones: --before {entries[-1].position}")


def explained(entry: Entry) -> str:
    """Tell how an entry came about, so that it can be checked from the one before it."""
    if entry.xp is None:
        return _by_hand(entry)
    change = entry.xp
    if entry.kind == "opening":
        return f"counts from {change.xp_after:,} XP" + ("; no points for history" if change.xp_after else "")
    moved = xp_moved(change.xp_before or 0, change.xp_after)
    decided = f"; decided by {entry.actor}: {entry.reason}" if entry.actor else ""
    if entry.kind == "rebase":
        return f"{moved} not counted; carried {change.carried_after} stays{decided}"
    return f"{moved}, carried {change.carried_before} → {change.carried_after}{decided}"


def _by_hand(entry: Entry) -> str:
    if entry.kind == "award":
        return f"{entry.source}, key {entry.key}"
    if entry.kind == "reversal":
        return f"{entry.source}: entry {entry.reverses} taken back by {entry.actor}: {entry.reason}"
    return f"adjusted by {entry.actor}: {entry.reason}, key {entry.key}"


def xp_moved(before: int, after: int) -> str:
    """Return how XP rose or fell."""
    return f"XP {before:,} → {after:,} ({after - before:+,})"
