"""When a sync may read: the cache, the wait that was asked for, time that never goes back (R21, R22)."""

from datetime import UTC, date, datetime, timedelta

from .errors import ClockWentBack, InvalidValue, KeptAway, SourceError
from .postings import SyncState, Wait

AHEAD_MAX = timedelta(minutes=2)
EARLIEST_AT = datetime(2000, 1, 1, tzinfo=UTC)
CACHED_FOR = timedelta(minutes=5)
CLOCK_SLACK = timedelta(minutes=2)
WAIT_MIN = timedelta(seconds=1)
WAIT_MAX = timedelta(hours=1)
WAIT_UNTOLD = {"rate_limited": timedelta(minutes=15), "blocked": timedelta(hours=1)}


def not_before(now: datetime, seen_at: datetime | None) -> datetime:
    """Return the instant that counts as now; `ClockWentBack` if it lies before what was seen (R22).

    Up to two minutes earlier is the same instant: clocks are stepped, machines differ.
    """
    if seen_at is None or now >= seen_at:
        return now
    if seen_at - now > CLOCK_SLACK:
        raise ClockWentBack(now, seen_at)
    return seen_at


def day_of_award(at: datetime, now: datetime) -> date:
    """Return the UTC day on which something happened; a moment ahead counts for today (R12, R16)."""
    if not EARLIEST_AT <= at <= now + AHEAD_MAX:
        raise InvalidValue(
            "at",
            at.isoformat(),
            f"give an instant from {EARLIEST_AT:%Y} on, at most two minutes ahead of {now:%F %T} UTC",
        )
    return min(at, now).date()


def is_cached(now: datetime, state: SyncState, slot: datetime | None) -> bool:
    """Tell whether the last good reading still answers; a slot takes none from before it (R21)."""
    if state.good_at is None or now - state.good_at >= CACHED_FOR:
        return False
    return slot is None or state.good_at >= slot


def wait_asked(error: SourceError) -> timedelta | None:
    """Return how long to keep away after this trouble; None if nobody asked for it (R21)."""
    if error.retry_after is None:
        return WAIT_UNTOLD.get(error.kind)
    return min(max(error.retry_after, WAIT_MIN), WAIT_MAX)


def is_kept_away(wait: Wait | None, now: datetime) -> bool:
    """Tell whether a wait that was asked for is not over (R21).

    A wait that ends later than any can was noted under a clock that ran ahead, and keeps nobody.
    """
    return wait is not None and now < wait.until <= now + WAIT_MAX + CLOCK_SLACK


def keep_waiting(wait: Wait | None, now: datetime) -> None:
    """Raise `KeptAway` as long as a wait that was asked for is not over; nothing is requested (R21)."""
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
