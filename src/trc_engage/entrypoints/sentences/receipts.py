"""What became of points that were booked by hand, in words."""

from ...core.reports import Receipt
from ...core.views import Standing
from ..text import counted, dated, moment, points, safe, say
from .members import named
from .streaks import changed


def say_receipt(receipt: Receipt, standing: Standing) -> None:
    """Say what happened, where the member stands now, and whether the streak changed."""
    entry = receipt.entry
    if receipt.changed:
        what_for = "" if entry.kind == "adjustment" else f" for {safe(entry.source)}"
        counted_on = f"counted on {dated(entry.day)} (entry {entry.position})"
        say(f"{receipt.outcome}: {points(entry.points)}{what_for}, {counted_on}")
    else:
        say(f"unchanged: posted already, as entry {entry.position} of {moment(entry.at)} UTC")
    say(f"{named(standing)}: {counted(standing.points, 'point')}")
    if receipt.late is not None:
        say(f"streak: {changed(receipt.late)} (that day was settled already)")
