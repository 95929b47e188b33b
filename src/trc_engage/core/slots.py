"""Slots of 15 minutes, and when a run may ask the source (R18, R21, R22)."""

from datetime import datetime, timedelta
from typing import Literal

from attrs import frozen

from .days import ONE_DAY
from .errors import ClockWentBack, KeptAway, RosterError, SourceError, SourceTrouble

SLOT = timedelta(minutes=15)
CLOCK_SLACK = timedelta(minutes=2)
"""How far apart two clocks may be and still mean the same instant."""
SETTLES_AFTER = timedelta(minutes=5)
"""How long after midnight UTC the previous day is settled."""

SlotOutcome = Literal["synced", "failed", "waiting"]
"""Waiting: nothing was requested, because the source had asked for a wait (R21)."""


@frozen
class SlotEnd:
    """How a slot ended, once for all processes."""

    slot: datetime
    """When the slot began."""
    outcome: SlotOutcome
    at: datetime


def slot_of(now: datetime) -> datetime:
    """Return the start of the UTC quarter hour that contains an instant.

    >>> from datetime import UTC
    >>> print(slot_of(datetime(2026, 3, 2, 9, 14, 59, tzinfo=UTC)))
    2026-03-02 09:00:00+00:00
    """
    return now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)


def next_sync_at(now: datetime, end: SlotEnd | None) -> datetime:
    """Return when the next sync is due: at once while the current slot has not ended."""
    return slot_of(now) + (timedelta(0) if end is None else SLOT)


def next_settlement_at(now: datetime) -> datetime:
    """Return the next 00:05 UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = midnight + SETTLES_AFTER
    return today if now < today else today + ONE_DAY


def is_attended(now: datetime, last: SlotEnd | None, good_at: datetime | None) -> bool:
    """Return whether runs happen: the last slot that ended, or the last good sync, is not before the previous slot."""
    # A future slot ended under a clock that ran ahead.
    seen = (None if last is None else last.slot, good_at)
    return any(at is not None and slot_of(now) - SLOT <= at <= now for at in seen)


CACHED_FOR = timedelta(minutes=5)
WAIT_MIN = timedelta(seconds=1)
WAIT_MAX = timedelta(hours=1)
WAIT_UNTOLD = {"rate_limited": timedelta(minutes=15), "blocked": timedelta(hours=1)}


@frozen
class Wait:
    """A request to keep away from the source."""

    kind: SourceTrouble
    until: datetime


LEAP_MAX = timedelta(days=7)
"""How far time may advance unseen before it must be confirmed (R22)."""


def leaps(now: datetime, seen_at: datetime | None) -> bool:
    """Return whether an instant is so far after what was seen that it is held back until confirmed (R22)."""
    return seen_at is not None and now - seen_at > LEAP_MAX


def not_before(now: datetime, seen_at: datetime | None) -> datetime:
    """Return the instant that counts as now; raises `ClockWentBack` if it is before what was seen (R22).

    Up to two minutes earlier counts as the same instant, because clocks are stepped and machines differ.
    """
    if seen_at is None or now >= seen_at:
        return now
    if seen_at - now > CLOCK_SLACK:
        raise ClockWentBack(now, seen_at)
    return seen_at


def is_cached(now: datetime, good_at: datetime | None, slot: datetime | None) -> bool:
    """Return whether the last good sync is recent enough to reuse; within a slot, only one since it began (R21)."""
    if good_at is None or now - good_at >= CACHED_FOR:
        return False
    return slot is None or good_at >= slot


def keeps_away(until: datetime | None, now: datetime, longest: timedelta) -> bool:
    """Return whether a wait is on; one longer than any can be was recorded by a clock that ran ahead (R22)."""
    return until is not None and now < until <= now + longest + CLOCK_SLACK


def wait_asked(error: SourceError | RosterError) -> timedelta | None:
    """Return how long to wait after this error; None if it needs no wait (R21)."""
    if error.retry_after is None:
        return WAIT_UNTOLD.get(error.kind)
    return min(max(error.retry_after, WAIT_MIN), WAIT_MAX)


def is_kept_away(wait: Wait | None, now: datetime) -> bool:
    """Return whether a requested wait is still on (R21)."""
    return wait is not None and keeps_away(wait.until, now, WAIT_MAX)


def keep_waiting(wait: Wait | None, now: datetime) -> None:
    """Raise `KeptAway` while a requested wait is on; nothing is requested (R21)."""
    if wait is None or not is_kept_away(wait, now):
        return
    message = (
        f"the board's server asked to be left alone ({wait.kind.replace('_', ' ')}) until "
        f"{wait.until:%Y-%m-%d %H:%M:%S} UTC; nothing was requested and nothing changed. "
        "XP is cumulative, so nothing is lost: sync again after that"
    )
    error = KeptAway(wait.kind, message)
    error.retry_at = wait.until
    raise error
