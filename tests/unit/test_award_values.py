"""What award, reverse and adjust accept, and for which day an award counts (R8, R12, R16)."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from support.community import MONDAY, Community
from trc_engage import InvalidValue, UnknownMember


def ada() -> Community:
    """Return a community with Ada."""
    community = Community()
    community.engage.enroll("ada")
    return community


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (MONDAY, "2026-03-02"),
        (MONDAY - timedelta(hours=9), "2026-03-02"),
        (MONDAY - timedelta(hours=9, microseconds=1), "2026-03-01"),
        (datetime(2024, 2, 29, 23, 59, tzinfo=UTC), "2024-02-29"),
        (datetime(2000, 1, 1, tzinfo=UTC), "2000-01-01"),
        (MONDAY + timedelta(minutes=2), "2026-03-02"),
        (datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2026-03-01"),
        (datetime(2026, 3, 1, 22, tzinfo=timezone(timedelta(hours=-5))), "2026-03-02"),
    ],
)
def test_an_award_belongs_to_the_utc_day_on_which_it_happened(at: datetime, day: str) -> None:
    """An award belongs to the UTC day of its time, past or up to two minutes ahead, in any timezone (R12, R16)."""
    entry = ada().award("ada", "run:1", at=at).entry
    assert (entry.day, entry.at, entry.at.tzinfo) == (date.fromisoformat(day), at, UTC)


def test_two_minutes_ahead_of_midnight_is_today() -> None:
    """An award dated two minutes ahead, past midnight, counts for today and not for a day that has not begun (R16)."""
    community = ada()
    community.now = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    entry = community.award("ada", "run:1", at=datetime(2026, 3, 3, 0, 1, tzinfo=UTC)).entry
    assert entry.day == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("at", "advice"),
    [
        (MONDAY + timedelta(minutes=2, microseconds=1), "at most two minutes ahead; it is 2026-03-02 09:00:00 UTC"),
        (MONDAY + timedelta(days=365), "at most two minutes ahead"),
        (datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC), "from 2000 on"),
        (MONDAY.replace(tzinfo=None), "timezone-aware"),
    ],
)
def test_an_instant_that_cannot_be_is_refused(at: datetime, advice: str) -> None:
    """A time too far ahead, before 2000 or without a timezone is refused, and nothing is posted."""
    community = ada()
    with pytest.raises(InvalidValue, match=f"^at: .*{advice}"):
        community.award("ada", "run:1", at=at)
    assert community.engage.feed() == []


GOOD: dict[str, dict[str, object]] = {
    "award": {"member_id": "ada", "source": "benchmark", "points": 10, "key": "new", "at": MONDAY},
    "reverse": {"key": "old", "reason": "withdrawn", "by": "admin-7"},
    "adjust": {"member_id": "ada", "points": 10, "key": "new", "reason": "typo", "by": "admin-7"},
}
NO_TEXT: list[object] = ["", "   ", None, 7, "x" * 1_001, "\ud800", "nul\x00"]
NO_ID: list[object] = ["", "   ", "two\nlines", "x" * 201, None, 7]
BAD: dict[tuple[str, str], list[object]] = {
    ("award", "member_id"): NO_ID,
    ("award", "source"): ["", " ", "x" * 51, "two\nlines", None, "discord", "Discord", " DISCORD "],
    ("award", "points"): [0, -1, 10**9 + 1, 1.5, True, "10", None],
    ("award", "key"): NO_ID,
    ("reverse", "key"): NO_ID,
    ("reverse", "reason"): NO_TEXT,
    ("reverse", "by"): NO_TEXT,
    ("adjust", "member_id"): NO_ID,
    ("adjust", "points"): [0, 10**9 + 1, -(10**9) - 1, 1.5, True, "10", None],
    ("adjust", "key"): NO_ID,
    ("adjust", "reason"): NO_TEXT,
    ("adjust", "by"): NO_TEXT,
}


@pytest.mark.parametrize(("call", "field"), BAD.keys())
def test_bad_values_are_named(call: str, field: str) -> None:
    """A bad value is refused in one short line that begins with the argument's name, and nothing is posted."""
    community = ada()
    before = [community.award("ada", "old").entry]
    for value in BAD[call, field]:
        with pytest.raises(InvalidValue) as caught:
            getattr(community.engage, call)(**{**GOOD[call], field: value})
        assert caught.value.field == field
        assert str(caught.value).startswith(f"{field}: ")
        assert len(str(caught.value)) < 200
    assert community.engage.feed() == before


@pytest.mark.parametrize("call", ["award", "adjust"])
def test_members_must_be_enrolled(call: str) -> None:
    """Awarding or adjusting points of a member who is not enrolled is an error that names the member."""
    with pytest.raises(UnknownMember, match="member 'nobody' is not enrolled"):
        getattr(Community().engage, call)(**{**GOOD[call], "member_id": "nobody"})


@pytest.mark.parametrize("by", ["", " ", "nul\x00", 7])
def test_who_awards_has_a_name_that_can_be_shown(by: object) -> None:
    """The actor of an award must be readable text, because admins see it; otherwise nothing is posted."""
    community = ada()
    with pytest.raises(InvalidValue, match=r"^by: "):
        community.engage.award("ada", source="benchmark", points=5, key="run:1", at=MONDAY, by=by)  # type: ignore[arg-type]
    assert community.engage.feed() == []
