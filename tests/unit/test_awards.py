"""Awards, reversals and adjustments (R8), on every ledger."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.community import LEDGERS, MONDAY, Community, opened
from trc_engage import InvalidValue, KeyReused, Receipt, Reversed, StreakChange, UnknownAward

ACTOR = "admin-7"


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community with Ada and Bo, neither of them linked, on each ledger."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        for name in ("ada", "bo"):
            community.engage.enroll(name, name=name.title())
        yield community


def reverse(community: Community, key: str, reason: str = "withdrawn") -> object:
    """Reverse an award, and return the outcome."""
    return community.engage.reverse(key, reason=reason, by=ACTOR).outcome


def adjust(community: Community, points: int, key: str, reason: str = "typo") -> object:
    """Adjust Ada's points, and return the outcome."""
    return community.engage.adjust("ada", points=points, key=key, reason=reason, by=ACTOR).outcome


def test_an_award_is_an_entry(community: Community) -> None:
    """An award's entry has its member, source, points, day, instant and key, and is not silent."""
    receipt = community.award("ada", "run:1", points=50)
    assert (receipt.outcome, receipt.changed, receipt.late) == ("awarded", True, None)
    assert community.engage.history("ada") == [receipt.entry]
    entry = receipt.entry
    assert (entry.kind, entry.member_id, entry.source, entry.points) == ("award", "ada", "benchmark", 50)
    assert (entry.key, entry.day, entry.at, entry.silent) == ("run:1", MONDAY.date(), MONDAY, False)
    assert (entry.xp, entry.reverses, entry.reason, entry.actor) == (None, None, None, None)
    assert community.points("ada") == 50


@pytest.mark.parametrize("days_later", [0, 1, 400])
def test_the_same_award_again_does_nothing_and_says_so(community: Community, days_later: int) -> None:
    """Repeating an award is answered as `unchanged`, however late and with whatever time: the first entry stays."""
    first = community.award("ada", "run:1")
    community.now += timedelta(days=days_later)
    again = community.award("ada", "run:1")
    assert (again.outcome, again.changed, again.entry) == ("unchanged", False, first.entry)
    assert (community.points("ada"), len(community.engage.feed())) == (10, 1)


@pytest.mark.parametrize(
    ("member", "source", "points", "asked"),
    [
        ("bo", "benchmark", 10, r"\+10 points for 'benchmark' to member 'bo' \(award\)"),
        ("ada", "download", 10, r"\+10 points for 'download' to member 'ada' \(award\)"),
        ("ada", "benchmark", 1_000, r"\+1,000 points for 'benchmark' to member 'ada' \(award\)"),
    ],
)
def test_a_key_used_for_something_else_is_an_error(
    community: Community, member: str, source: str, points: int, asked: str
) -> None:
    """A key reused for another member, source or amount is an error that names the key and both contents."""
    community.award("ada", "run:1")
    posted = r"\+10 points for 'benchmark' to member 'ada' \(award\)"
    with pytest.raises(KeyReused, match=f"'run:1' is already used: .*{posted}.*{asked}"):
        community.engage.award(member, source=source, points=points, key="run:1", at=community.now)
    assert (community.points("ada"), community.points("bo")) == (10, 0)


def test_awards_and_adjustments_share_their_keys(community: Community) -> None:
    """Awards and adjustments share one set of keys, so a key names one entry, whatever its kind."""
    community.award("ada", "one")
    adjust(community, -3, "two")
    with pytest.raises(KeyReused, match=r"award.*-3 points for 'adjustment' to member 'ada' \(adjustment\)"):
        adjust(community, -3, "one")
    with pytest.raises(KeyReused, match=r"\(adjustment\), and is now requested as .*\(award\)"):
        community.award("ada", "two")
    assert community.points("ada") == 7


def test_a_reversal_takes_the_points_back(community: Community) -> None:
    """A reversal has its award's day and source, a reason and an actor; the award's own entry stays (R9)."""
    award = community.award("ada", "run:1", points=50).entry
    community.now += timedelta(days=3)
    receipt = community.engage.reverse("run:1", reason="cheated", by=ACTOR)
    entry = receipt.entry
    assert (receipt.outcome, receipt.changed) == ("reversed", True)
    assert (entry.kind, entry.member_id, entry.source, entry.points) == ("reversal", "ada", "benchmark", -50)
    assert (entry.reverses, entry.day, entry.at) == (award.position, award.day, community.now)
    assert (entry.reason, entry.actor, entry.key) == ("cheated", ACTOR, None)
    assert community.engage.history("ada") == [entry, award]
    assert community.points("ada") == 0


def test_a_second_reversal_does_nothing_and_says_so(community: Community) -> None:
    """Reversing an award again is answered as `unchanged`, with the first reversal and its reason."""
    community.award("ada", "run:1")
    first = community.engage.reverse("run:1", reason="cheated", by=ACTOR)
    again = community.engage.reverse("run:1", reason="changed my mind", by="admin-8")
    assert (again.outcome, again.changed, again.entry) == ("unchanged", False, first.entry)
    assert community.points("ada") == 0


def test_the_key_of_a_reversed_award_is_used_up(community: Community) -> None:
    """A reversed award's key cannot be used again, not even for another member; a new key earns again."""
    community.award("ada", "run:1")
    reverse(community, "run:1")
    with pytest.raises(Reversed, match="'run:1' was reversed, and its key is used up"):
        community.award("ada", "run:1")
    with pytest.raises(KeyReused):
        community.award("bo", "run:1")
    community.award("ada", "run:2")
    assert community.points("ada") == 10


def test_only_awards_can_be_reversed(community: Community) -> None:
    """Neither an unused key nor an adjustment's can be reversed, and the message says what to do instead."""
    adjust(community, 5, "fix:1")
    for key in ("run:404", "fix:1"):
        with pytest.raises(UnknownAward, match=f"no award with key '{key}'.*correct an adjustment by another"):
            reverse(community, key)
    assert community.points("ada") == 5


def test_an_adjustment_adds_or_takes(community: Community) -> None:
    """An adjustment can make the balance negative, records reason and actor, and is posted once per key (R4, R8)."""
    assert [adjust(community, -5, "fix:1"), adjust(community, -5, "fix:1", "told anew")] == ["adjusted", "unchanged"]
    (entry,) = community.engage.history("ada")
    assert (entry.kind, entry.source, entry.points, entry.silent) == ("adjustment", "adjustment", -5, False)
    assert (entry.key, entry.reason, entry.actor) == ("fix:1", "typo", ACTOR)
    assert community.points("ada") == -5
    with pytest.raises(KeyReused):
        adjust(community, 5, "fix:1")


def test_balances_are_told_by_source(community: Community) -> None:
    """Balances by source add up to the points, and a reversal takes from its award's source."""
    community.enroll("ada")
    community.sync(ada=1_000)
    community.sync(ada=1_250)
    community.award("ada", "run:1", points=30)
    community.award("ada", "run:2", points=40)
    community.engage.award("ada", source="download", points=5, key="file:1", at=community.now)
    reverse(community, "run:2")
    adjust(community, -3, "fix:1")
    standing = community.engage.standing("ada")
    assert standing.points_by_source == {"adjustment": -3, "benchmark": 30, "discord": 2, "download": 5}
    assert standing.points == sum(standing.points_by_source.values()) == 34


def test_the_feed_tells_them_all_in_order(community: Community) -> None:
    """The feed lists awards, reversals and adjustments by rising position, and none of them is silent (R23)."""
    community.award("ada", "run:1")
    community.award("bo", "run:2")
    reverse(community, "run:1")
    adjust(community, 4, "fix:1")
    feed = community.engage.feed()
    assert [(entry.kind, entry.member_id, entry.points) for entry in feed] == [
        ("award", "ada", 10),
        ("award", "bo", 10),
        ("reversal", "ada", -10),
        ("adjustment", "ada", 4),
    ]
    positions = [entry.position for entry in feed]
    assert positions == sorted(set(positions))
    assert not any(entry.silent for entry in feed)
    assert community.engage.feed(after=positions[1]) == feed[2:]


def test_late_news_is_told(community: Community) -> None:
    """An award or reversal for a settled day returns the streak's change, if there is one (R16)."""
    monday, tuesday = MONDAY, MONDAY + timedelta(days=1)
    community.award("ada", "monday")
    community.now += timedelta(days=2)
    community.engage.settle()
    assert community.award("ada", "tuesday", at=tuesday).late == StreakChange(
        "ada", 0, 2, 1, 2, "award", tuesday.date()
    )
    assert community.award("ada", "tuesday again", at=tuesday).late is None
    assert community.engage.reverse("tuesday again", reason="twice", by=ACTOR).late is None
    assert community.engage.reverse("monday", reason="withdrawn", by=ACTOR).late == StreakChange(
        "ada", 2, 1, 2, 1, "reversal", MONDAY.date()
    )
    assert community.award("bo", "saturday", at=monday - timedelta(days=2)).late is None
    assert community.award("ada", "today").late is None


def test_a_bonus_is_no_activity(community: Community) -> None:
    """A bonus pays without touching the streak; whether an award counts as activity is part of its key (R8, R17a)."""
    community.award("ada", "monday")
    community.now += timedelta(days=2)
    community.engage.settle()
    key, at, before = "milestone:ada:5", MONDAY + timedelta(days=1), community.engage.standing("ada").streak

    def pay(*, counts: bool, by: str | None = None) -> Receipt:
        return community.engage.award(
            "ada", source="milestone", points=5, key=key, at=at, counts_as_activity=counts, by=by
        )

    bonus = pay(counts=False, by="app")
    assert (bonus.late, bonus.entry.actor, bonus.entry.booked_at) == (None, "app", community.now)
    assert (pay(counts=False).outcome, pay(counts=False).entry) == ("unchanged", bonus.entry)
    with pytest.raises(KeyReused, match="does not count as activity"):
        pay(counts=True)
    assert community.engage.standing("ada").streak == before
    assert community.engage.reverse(key, reason="twice", by=ACTOR).late is None
    assert community.ledger.streak_changes("ada") == []


def test_whether_an_award_counts_is_true_or_false(community: Community) -> None:
    """A text such as "no" is refused instead of counting as true; nothing is posted."""
    flag: Any = "no"
    with pytest.raises(InvalidValue, match=r"^counts_as_activity: 'no': give True or False"):
        community.engage.award(
            "ada", source="benchmark", points=5, key="run:1", at=community.now, counts_as_activity=flag
        )
    assert community.points("ada") == 0
