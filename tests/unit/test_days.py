"""Which days a window counts for (R12)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from trc_engage import InvalidValue
from trc_engage.core.days import Window, days_counted
from trc_engage.core.validation import in_utc

CASES = {
    "a quarter of an hour within a day": ("2026-03-02 09:00", "2026-03-02 09:15", "2"),
    "an instant": ("2026-03-02 09:00", "2026-03-02 09:00", "2"),
    "the sync at midnight credits the evening before": ("2026-03-06 23:45", "2026-03-07 00:00", "6"),
    "a manual sync just before midnight": ("2026-03-06 23:45", "2026-03-06 23:59:30", "6"),
    "a second short of a foothold": ("2026-03-06 23:59:30", "2026-03-07 00:04:59", "6"),
    "just a foothold": ("2026-03-06 23:59:30", "2026-03-07 00:05", "6 7"),
    "a sync missing at midnight": ("2026-03-06 23:45", "2026-03-07 00:15", "6 7"),
    "a window that begins at midnight": ("2026-03-07 00:00", "2026-03-07 00:01", "7"),
    "an outage of three days": ("2026-03-02 23:59", "2026-03-05 12:00", "2 3 4 5"),
    "an outage that ends at midnight": ("2026-03-02 12:00", "2026-03-05 00:00", "2 3 4"),
}


@pytest.mark.parametrize(("opens_at", "closes_at", "days"), CASES.values(), ids=CASES.keys())
def test_days_of_a_window(opens_at: str, closes_at: str, days: str) -> None:
    """Every day that a window touches counts, but the last of several only if five minutes of it are in the window."""
    counted = days_counted(_utc(opens_at), _utc(closes_at))
    assert [day.day for day in counted] == [int(day) for day in days.split()]


@given(st.datetimes(datetime(2024, 1, 1), datetime(2026, 1, 1)), st.timedeltas(timedelta(0), timedelta(days=40)))  # noqa: DTZ001
def test_no_window_is_without_a_day(opens: datetime, length: timedelta) -> None:
    """A window always counts for at least one day, begins with the day it opens on, and skips none."""
    opens_at = opens.replace(tzinfo=UTC)
    days = days_counted(opens_at, opens_at + length)
    assert days[0] == opens_at.date()
    assert list(days) == sorted(set(days))
    assert (days[-1] - days[0]).days == len(days) - 1


def test_a_window_that_opens_after_it_closes_is_an_instant() -> None:
    """A window that opens after it closes, because a clock ran ahead, is cut to its closing instant and that day."""
    now = _utc("2026-03-02 00:00")
    window = Window.between(now + timedelta(minutes=1), now)
    assert (window.opens_at, window.days) == (now, (now.date(),))


def test_a_naive_time_is_refused() -> None:
    """A time without a timezone is refused, and the error names the field."""
    with pytest.raises(InvalidValue, match="at: '2026-03-02T09:00:00': give a timezone-aware"):
        in_utc("at", datetime(2026, 3, 2, 9))  # noqa: DTZ001


def test_another_zone_is_converted() -> None:
    """A time in another zone is converted to UTC, even if that moves it to another day."""
    assert in_utc("at", datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=2)))) == _utc("2026-03-01 23:00")


FIRST, LAST = (datetime.min.replace(tzinfo=UTC), 1), (datetime.max.replace(tzinfo=UTC), -1)


@pytest.mark.parametrize(("at", "hours"), [FIRST, LAST], ids=["before year 1", "after 9999"])
def test_an_instant_that_utc_cannot_say_is_refused(at: datetime, hours: int) -> None:
    """An instant outside the years 1 to 9999 of UTC is refused, and the error names the argument."""
    with pytest.raises(InvalidValue, match=r"at: '.+': give an instant within the years 1 to 9999 of UTC"):
        in_utc("at", at.replace(tzinfo=timezone(timedelta(hours=hours))))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
