"""When a slot begins, what is due next, and when a source may be read (R18, R21, R22)."""

from datetime import UTC, datetime, timedelta

import pytest

from trc_engage.core.errors import ClockWentBack, KeptAway
from trc_engage.core.slots import (
    SlotEnd,
    Wait,
    is_attended,
    is_cached,
    keep_waiting,
    keeps_away,
    leaps,
    next_settlement_at,
    next_sync_at,
    not_before,
    slot_of,
)

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
TICK, SECOND, MINUTE, HOUR, DAY = (
    timedelta(microseconds=1),
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
QUARTER = 15 * MINUTE
SYNCED = SlotEnd(NINE, "synced", NINE + SECOND)


@pytest.mark.parametrize("after", [timedelta(0), TICK, 59 * SECOND, QUARTER - TICK])
def test_a_slot_is_a_quarter_of_an_hour(after: timedelta) -> None:
    """A slot ends just before the next one begins; the next sync is due in this slot, unless it has ended."""
    assert slot_of(NINE + after) == NINE
    assert next_sync_at(NINE + after, None) == NINE
    assert next_sync_at(NINE + after, SYNCED) == NINE + QUARTER


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (MIDNIGHT, MIDNIGHT + 5 * MINUTE),
        (MIDNIGHT + 4 * MINUTE + 59 * SECOND + TICK, MIDNIGHT + 5 * MINUTE),
        (MIDNIGHT + 5 * MINUTE, MIDNIGHT + DAY + 5 * MINUTE),
        (NINE + SECOND + TICK, MIDNIGHT + DAY + 5 * MINUTE),
    ],
)
def test_days_are_settled_five_minutes_after_midnight(now: datetime, expected: datetime) -> None:
    """The next settlement is at 00:05 today, and from then on at 00:05 tomorrow."""
    assert next_settlement_at(now) == expected


@pytest.mark.parametrize(
    ("ended", "good_at", "attended"),
    [
        (None, None, False),
        (NINE, None, True),
        (NINE - QUARTER, None, True),
        (NINE - QUARTER - QUARTER, None, False),
        (None, NINE - QUARTER, True),
        (None, NINE - QUARTER - TICK, False),
        (NINE + DAY, None, False),
    ],
)
def test_somebody_is_at_it_if_the_slot_before_has_ended(
    ended: datetime | None, good_at: datetime | None, *, attended: bool
) -> None:
    """A store is attended if the slot before has ended or a sync was good since; a time ahead proves nothing."""
    last = None if ended is None else SlotEnd(ended, "synced", ended)
    assert is_attended(NINE + MINUTE, last, good_at) is attended


@pytest.mark.parametrize(
    ("ago", "slot", "cached"),
    [
        (None, None, False),
        (timedelta(0), None, True),
        (5 * MINUTE - TICK, None, True),
        (5 * MINUTE, None, False),
        (MINUTE, NINE - MINUTE, True),
        (MINUTE, NINE - MINUTE + TICK, False),
    ],
)
def test_a_reading_answers_for_five_minutes(ago: timedelta | None, slot: datetime | None, *, cached: bool) -> None:
    """A reading is used for less than five minutes, and a slot uses none from before it (R21)."""
    assert is_cached(NINE, None if ago is None else NINE - ago, slot) is cached


@pytest.mark.parametrize(
    ("until", "kept"),
    [
        (None, False),
        (NINE, False),
        (NINE + TICK, True),
        (NINE + HOUR, True),
        (NINE + HOUR + 2 * MINUTE, True),
        (NINE + HOUR + 2 * MINUTE + TICK, False),
    ],
)
def test_a_wait_longer_than_any_can_be_is_none(until: datetime | None, *, kept: bool) -> None:
    """A wait that is over two minutes longer than allowed was noted under a clock ahead, and is ignored (R22)."""
    assert keeps_away(until, NINE, HOUR) is kept


def test_a_wait_says_why_and_until_when() -> None:
    """During a wait, a request is refused with the wait's reason and end; otherwise it is allowed (R21)."""
    with pytest.raises(KeptAway, match=r"left alone \(rate limited\) until 2026-03-02 09:15:00 UTC") as caught:
        keep_waiting(Wait("rate_limited", NINE + QUARTER), NINE)
    assert caught.value.retry_at == NINE + QUARTER
    keep_waiting(Wait("rate_limited", NINE), NINE)
    keep_waiting(None, NINE)


@pytest.mark.parametrize(("days", "leapt"), [(7 * DAY, False), (7 * DAY + TICK, True), (-DAY, False)])
def test_more_than_a_week_is_a_leap(days: timedelta, *, leapt: bool) -> None:
    """A time more than a week after the latest one known is a leap, but not in a new store, which knows none (R22)."""
    assert leaps(NINE + days, NINE) is leapt
    assert not leaps(NINE, None)


@pytest.mark.parametrize(
    ("seen_at", "counts"),
    [
        (None, NINE),
        (NINE - DAY, NINE),
        (NINE, NINE),
        (NINE + 2 * MINUTE, NINE + 2 * MINUTE),
        (NINE + 2 * MINUTE + TICK, None),
    ],
)
def test_time_that_went_back_by_two_minutes_is_the_same_instant(
    seen_at: datetime | None, counts: datetime | None
) -> None:
    """A time up to two minutes before the latest seen counts as that one; an earlier time is refused (R22)."""
    if counts is not None:
        assert not_before(NINE, seen_at) == counts
        return
    with pytest.raises(ClockWentBack):
        not_before(NINE, seen_at)
