"""What monitors see: whether all is well, what waits, and what is due next."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from .clock import slot_of
from .oracle.days import ONE_DAY, midnight
from .process import Process
from .verdict import check
from .world import QUARTER

if TYPE_CHECKING:
    from .life import Life

SETTLES_AT = time(0, 5)


def check_status(life: Life, process: Process) -> None:
    """Compare the status with what an observer knows."""
    process.begin()
    status, oracle = process.engage.status(), life.oracle
    now = status.at
    slot = slot_of(now)
    topics = {one.topic for one in status.troubles} - {"unseen"}
    told = {
        "lasting": (topics, life.lasting(now)),
        "good at": (status.good_at, oracle.good_at),
        "board": (status.board_id, oracle.board_id),
        "failures": (status.failure_run.count if status.failure_run else 0, life.failures.count),
        "last slot": (status.last_slot.slot if status.last_slot else None, max(life.slots, default=None)),
        "pending": ([one.day for one in status.pending], _pending(life, now)),
        "next sync": (status.next_sync_at, slot + QUARTER if slot in life.slots else slot),
        "next settlement": (status.next_settlement_at, _settles_at(now)),
        "synced accounts": (status.synced_accounts, len(oracle.sought)),
    }
    for what, (theirs, mine) in told.items():
        check(theirs == mine, f"the status tells of {what}: {theirs}, not {mine}")


def _pending(life: Life, now: datetime) -> list[date]:
    through = life.oracle.calendar.settled_through
    assert through is not None
    return [through + timedelta(days=number) for number in range(1, (now.date() - through).days)]


def _settles_at(now: datetime) -> datetime:
    today = datetime.combine(now.date(), SETTLES_AT, now.tzinfo)
    return today if now < today else midnight(now.date() + ONE_DAY) + timedelta(minutes=5)
