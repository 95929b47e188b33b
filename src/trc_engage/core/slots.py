"""When a sync and a settlement are due (R15, R18)."""

from datetime import datetime, timedelta
from typing import Literal

from attrs import frozen

from .days import ONE_DAY

SLOT = timedelta(minutes=15)
SETTLES_AFTER = timedelta(minutes=5)
"""How long after midnight the day before is settled: at 00:05 UTC."""

SlotOutcome = Literal["synced", "failed", "waiting"]
"""Waiting: nothing was requested, because the source had asked to be left alone (R21)."""


@frozen
class SlotEnd:
    """How a slot ended: once, whoever ran it."""

    slot: datetime
    """When the slot began."""
    outcome: SlotOutcome
    at: datetime


def slot_of(now: datetime) -> datetime:
    """Return the beginning of the quarter of an hour of UTC that holds an instant.

    >>> from datetime import UTC
    >>> print(slot_of(datetime(2026, 3, 2, 9, 14, 59, tzinfo=UTC)))
    2026-03-02 09:00:00+00:00
    """
    return now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)


def next_sync_at(now: datetime, end: SlotEnd | None) -> datetime:
    """Return when the next sync is due: at once as long as the present slot has no end."""
    return slot_of(now) + (timedelta(0) if end is None else SLOT)


def next_settlement_at(now: datetime) -> datetime:
    """Return the next 00:05 UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = midnight + SETTLES_AFTER
    return today if now < today else today + ONE_DAY


def is_attended(now: datetime, last: SlotEnd | None, good_at: datetime | None) -> bool:
    """Tell whether anybody runs what is due: the slot before the present one has ended, or a sync was good since."""
    # A slot to come ended under a clock that ran ahead.
    seen = (None if last is None else last.slot, good_at)
    return any(at is not None and slot_of(now) - SLOT <= at <= now for at in seen)
