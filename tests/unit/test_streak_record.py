"""The record of streak changes and their causes, and of the lengths that streaks reached (R17a, R28)."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from support.community import LEDGERS, Community, opened

MONDAY = date(2026, 3, 2)
ONE_DAY = timedelta(days=1)


def active(community: Community, *offsets: int) -> None:
    """Set the clock to each of these days after today, and book an award on it."""
    begins = community.now
    for offset in offsets:
        community.now = begins + offset * ONE_DAY
        community.award("ada", f"day {offset}")


@pytest.fixture(params=LEDGERS)
def thursday(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community on Friday: Ada was active on Monday, Tuesday and Thursday, so Wednesday broke her streak."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.engage.enroll("ada")
        active(community, 0, 1, 3)
        community.now += ONE_DAY
        community.engage.settle()
        yield community


def told(community: Community) -> list[tuple[object, ...]]:
    """Return Ada's recorded changes: cause, day, current streak before and after, and longest streak after."""
    changes = community.ledger.streak_changes("ada")
    return [
        (one.cause, one.day and one.day.day, one.current_before, one.current_after, one.longest_after)
        for one in changes
    ]


def test_each_change_is_kept_with_its_cause(thursday: Community) -> None:
    """Late awards, reversals, excuses and their undo are recorded with their cause if they change the streak (R28)."""
    engage, wednesday = thursday.engage, MONDAY + 2 * ONE_DAY
    at = thursday.now - 2 * ONE_DAY
    thursday.award("ada", "late", at=at)
    engage.reverse("late", reason="a mistake", by="admin")
    engage.excuse(wednesday, reason="ill", by="admin", member_id="ada")
    engage.excuse(wednesday, reason="a holiday", by="admin")
    engage.unexcuse(wednesday, by="admin")
    engage.unexcuse(wednesday, by="admin", member_id="ada")
    assert told(thursday) == [
        ("award", 4, 1, 4, 4),
        ("reversal", 4, 4, 1, 2),
        ("excused", 4, 1, 3, 3),
        ("required", 4, 3, 1, 2),
    ]
    award, reversal, excused, _ = thursday.ledger.streak_changes("ada")
    entries = {entry.position: entry for entry in thursday.engage.history("ada")}
    assert award.entry is not None
    assert reversal.entry is not None
    assert (entries[award.entry].key, entries[reversal.entry].reverses) == ("late", award.entry)
    assert (excused.entry, excused.at) == (None, thursday.now)


def test_a_length_is_reached_once(thursday: Community) -> None:
    """Each length is recorded once, in order, and stays even if late evidence shortens the streak (R17a)."""
    engage = thursday.engage
    at = thursday.now - 2 * ONE_DAY
    thursday.award("ada", "late", at=at)
    reached = engage.milestones_reached(thresholds=[1, 2, 3, 4, 5])
    assert [one.threshold for one in reached] == [1, 2, 3, 4]
    assert [one.at == thursday.now for one in reached] == [True] * 4
    engage.reverse("late", reason="a mistake", by="admin")
    assert engage.standing("ada").streak.longest == 2  # type: ignore[union-attr]
    engage.excuse(MONDAY + 2 * ONE_DAY, reason="a holiday", by="admin")
    assert engage.milestones_reached(thresholds=[1, 2, 3, 4, 5]) == reached
    assert engage.milestones_reached(after=reached[-1].number) == []
    thursday.award("ada", "friday")
    thursday.now += ONE_DAY
    engage.settle()
    thursday.award("ada", "wednesday, after all", at=at)
    (five,) = engage.milestones_reached()
    assert (five.member_id, five.threshold, five.milestone_id) == ("ada", 5, "ada:5")
