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
        what = f"{points(entry.points)} for {safe(entry.source)}, counted on {dated(entry.day)}"
        say(f"{receipt.outcome}: {what} (entry {entry.position})")
    else:
        say(f"unchanged: posted already, as entry {entry.position} of {moment(entry.at)} UTC")
    say(f"{named(standing)}: {counted(standing.points, 'point')}")
    if receipt.late is not None:
        say(f"streak, for that day was settled already: {changed(receipt.late)}")
