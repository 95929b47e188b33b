"""The three outages of a life, and the notices that they must bring (R20)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from attrs import frozen

from .people import QUARTER

ALERTED_AT = 3
REMINDED_AFTER = timedelta(hours=24)
LATE_MAX = QUARTER + timedelta(minutes=1)
"""A slot that is seconds short of a day sends nothing yet, and in the next one the read takes its time."""
Told = tuple[str, datetime | None]
"""A kind of notice, and the slot in which it must come, or None for a reminder a day after the previous message."""


@frozen
class Outage:
    """A time in which every read fails."""

    name: str
    since: datetime
    until: datetime

    def notices(self, heard_from: datetime | None = None) -> Sequence[Told]:
        """Return the notices that must be sent to a channel that exists from an instant on."""
        failed = first_slot(self.since)
        alerted = max(failed + (ALERTED_AT - 1) * QUARTER, slot_of(heard_from or failed))
        over = first_slot(self.until)
        reminders = (over - alerted - QUARTER) // REMINDED_AFTER
        return [("alert", alerted), *[("reminder", None)] * reminders, ("all_clear", over)]


def timed(told: Sequence[tuple[int, str, datetime]]) -> list[tuple[int, str, datetime | None]]:
    """Return the slot of each message, or None for a reminder that came a day after the previous one."""
    found: list[tuple[int, str, datetime | None]] = []
    for before, (number, kind, at) in pairwise([(0, "", datetime.min.replace(tzinfo=UTC)), *told]):
        is_in_time = kind == "reminder" and REMINDED_AFTER <= at - before[2] < REMINDED_AFTER + LATE_MAX
        found.append((number, kind, None if is_in_time else slot_of(at)))
    return found


def slot_of(at: datetime) -> datetime:
    """Return the quarter of an hour that contains an instant."""
    return datetime.fromtimestamp(at.timestamp() // QUARTER.total_seconds() * QUARTER.total_seconds(), UTC)


def first_slot(at: datetime) -> datetime:
    """Return the first quarter of an hour that begins at an instant or later."""
    return slot_of(at - timedelta(microseconds=1)) + QUARTER
