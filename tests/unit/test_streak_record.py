"""What is kept on record of streaks: what changed them and why, and which lengths they reached (R17a, R28)."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from support.community import LEDGERS, Community, opened

MONDAY = date(2026, 3, 2)
ONE_DAY = timedelta(days=1)


def active(community: Community, *offsets: int) -> None:
    """Book an award on each of these days after Monday, when it happens."""
    begins = community.now
    for offset in offsets:
        community.now = begins + offset * ONE_DAY
        community.award("ada", f"day {offset}")


@pytest.fixture(params=LEDGERS)
def thursday(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Begin on Friday morning: active on Monday, Tuesday and Thursday, so that Wednesday broke the streak."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.engage.enroll("ada")
        active(community, 0, 1, 3)
        community.now += ONE_DAY
        community.engage.settle()
        yield community


def told(community: Community) -> list[tuple[object, ...]]:
    """Return what is on record, each change with its cause; each follows from the one before."""
    changes = community.ledger.streak_changes("ada")
    return [
        (one.cause, one.day and one.day.day, one.current_before, one.current_after, one.longest_after)
        for one in changes
    ]


def test_each_change_is_kept_with_its_cause(thursday: Community) -> None:
    """An award for a day long past, its reversal, an excuse for one and for all, and their undoing."""
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
    """In the order in which it was reached, and for ever: late news takes no milestone away, and pays none twice."""
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
