"""Ranks, and members who are hidden or forgotten (R9), on every ledger."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from support.community import IDS, LEDGERS, Community, opened
from trc_engage import InvalidValue, Rank, UnknownMember


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community of five, of whom Bo and Cy have the same points, Dee fewer and Eli none."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo", "cy", "dee", "eli")
        community.sync(**dict.fromkeys(("ada", "bo", "cy", "dee", "eli"), 1_000))
        for name, points in {"ada": 30, "bo": 20, "cy": 20, "dee": 10}.items():
            community.award(name, f"run:{name}", points=points)
        yield community


def told(community: Community, limit: int = 25, month: date | None = None) -> list[tuple[int, str, int]]:
    """Return the leaderboard as ranks, members and points."""
    ranks = community.engage.leaderboard(month=month, limit=limit)
    return [(rank.rank, rank.member_id, rank.points) for rank in ranks]


def test_ties_share_a_rank(community: Community) -> None:
    """Members with equal points share a rank, as in 1, 2, 2, 4, listed by id; those without points are ranked too."""
    assert told(community) == [(1, "ada", 30), (2, "bo", 20), (2, "cy", 20), (4, "dee", 10), (5, "eli", 0)]
    community.award("bo", "run:b2", points=10)
    assert told(community, limit=3) == [(1, "ada", 30), (1, "bo", 30), (3, "cy", 20)]


def test_debts_are_ranked_last(community: Community) -> None:
    """A negative balance is ranked below no points at all (R4)."""
    community.engage.adjust("dee", points=-11, key="fix", reason="typo", by="admin-7")
    assert told(community)[3:] == [(4, "eli", 0), (5, "dee", -1)]


def test_ones_own_rank_is_told_outside_the_top(community: Community) -> None:
    """A member's own rank is found even if the leaderboard's limit leaves the member out."""
    assert told(community, limit=1) == [(1, "ada", 30)]
    assert community.engage.rank("dee") == Rank(4, "dee", "Dee", 10)
    with pytest.raises(UnknownMember):
        community.engage.rank("nobody")


def test_who_is_hidden_is_left_out_but_sees_the_own_rank(community: Community) -> None:
    """A hidden member is not on the leaderboard and others move up, but the member's own rank can be seen."""
    engage = community.engage
    assert [engage.hide("ada").outcome, engage.hide("ada").outcome] == ["hidden", "unchanged"]
    assert told(community)[:3] == [(1, "bo", 20), (1, "cy", 20), (3, "dee", 10)]
    assert engage.rank("ada").rank == 1
    engage.hide("bo")
    assert (engage.rank("bo").rank, engage.rank("cy").rank) == (1, 1)
    assert engage.standing("ada").points == 30
    assert [engage.show("ada").outcome, engage.show("ada").outcome] == ["shown", "unchanged"]
    assert told(community)[0] == (1, "ada", 30)


def test_the_last_month_there_is_has_an_end(community: Community) -> None:
    """The leaderboard of December 9999, the last month that a date can have, is answered like any other."""
    assert {rank.points for rank in community.engage.leaderboard(month=date.max)} <= {0}


def test_months_sum_by_the_day_of_an_entry(community: Community) -> None:
    """An award and its reversal count for the month of the award, and an adjustment for the month it is made in."""
    march, april = date(2026, 3, 31), date(2026, 4, 1)
    for name in ("ada", "bo", "cy", "dee"):
        community.engage.reverse(f"run:{name}", reason="to begin with nothing", by="admin-7")
    community.now = datetime(2026, 4, 1, 0, 10, tzinfo=UTC)
    community.award("ada", "late", points=7, at=datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    community.award("bo", "early", points=5, at=datetime(2026, 4, 1, tzinfo=UTC))
    community.award("cy", "taken back", points=9, at=datetime(2026, 3, 1, tzinfo=UTC))
    community.engage.reverse("taken back", reason="withdrawn", by="admin-7")
    community.engage.adjust("dee", points=3, key="fix", reason="typo", by="admin-7")
    assert told(community, month=march)[:2] == [(1, "ada", 7), (2, "bo", 0)]
    assert told(community, month=april)[:3] == [(1, "bo", 5), (2, "dee", 3), (3, "ada", 0)]
    assert told(community, month=date(2026, 2, 1))[0] == (1, "ada", 0)
    assert (community.engage.rank("dee", month=april).rank, community.engage.rank("dee", month=march).rank) == (2, 2)
    assert told(community)[:3] == [(1, "ada", 7), (2, "bo", 5), (3, "dee", 3)]


@pytest.mark.parametrize(
    ("opens", "closes", "month"),
    [
        ("2026-03-31 23:45", "2026-04-01 00:00", 3),
        ("2026-03-31 23:45", "2026-04-01 00:15", 3),
        ("2026-03-20 12:00", "2026-04-09 12:00", 3),
        ("2026-04-01 00:00", "2026-04-01 00:15", 4),
    ],
)
def test_xp_counts_for_the_first_day_of_its_window(community: Community, opens: str, closes: str, month: int) -> None:
    """XP that is read after the end of a month counts for the month in which its window begins (R12)."""
    community.now = datetime.fromisoformat(opens).replace(tzinfo=UTC)
    community.sync(timedelta(0))
    community.chat("eli", 100)
    community.now = datetime.fromisoformat(closes).replace(tzinfo=UTC)
    community.sync(timedelta(0))
    assert community.engage.history("eli")[0].day.month == month
    assert community.engage.rank("eli", month=date(2026, month, 15)).points == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", 10_001),
        ("limit", True),
        ("month", "2026-03"),
        ("month", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_bad_questions_are_named(field: str, value: object) -> None:
    """A limit or month that cannot be used is refused by its name."""
    with pytest.raises(InvalidValue, match=f"{field}: "):
        Community().engage.leaderboard(**{field: value})  # type: ignore[arg-type]


def test_who_is_forgotten_leaves_no_name(community: Community) -> None:
    """Forgetting removes name and Discord id everywhere, and a second time changes nothing (R9)."""
    engage = community.engage
    assert [engage.forget("ada").outcome, engage.forget("ada").outcome] == ["forgotten", "unchanged"]
    shown = repr([engage.standing("ada"), engage.members(), engage.feed(), engage.rank("ada"), engage.leaderboard()])
    assert "Ada" not in shown
    assert IDS["ada"] not in shown
    standing = engage.standing("ada")
    assert standing.name is None
    assert standing.discord is not None
    assert (standing.discord.discord_id, standing.discord.status) == ("forgotten", "unlinked")
    assert community.ledger.holder_of(IDS["ada"]) is None
    assert community.ledger.account_of("ada") is None
    with pytest.raises(UnknownMember):
        engage.forget("nobody")


def test_ids_of_earlier_links_are_forgotten_too(community: Community, tmp_path: Path) -> None:
    """Forgetting removes the ids of earlier links too, and leaves neither name nor ids in the file of a store."""
    engage = community.engage
    engage.unlink("ada")
    engage.link("ada", IDS["ivy"])
    engage.unlink("ada")
    engage.forget("ada")
    files = [*tmp_path.iterdir()]
    kept = b"".join(path.read_bytes() for path in files)
    assert (b"Bo" in kept) == bool(files)
    assert not any(gone in kept for gone in (b"Ada", IDS["ada"].encode(), IDS["ivy"].encode()))
    assert IDS["ivy"] not in repr(engage.members())
    assert engage.enroll("fay", discord_id=IDS["ivy"]).outcome == "enrolled"


def test_the_sums_hold_after_forgetting(community: Community) -> None:
    """Forgetting keeps entries, points and streak, and only takes the member off the leaderboard (R9)."""
    engage = community.engage
    community.now += timedelta(days=1)
    community.sync()
    engage.settle()
    feed, standing = engage.feed(), engage.standing("ada")
    engage.forget("ada")
    assert engage.feed() == feed
    after = engage.standing("ada")
    assert (after.points, after.points_by_source, after.streak) == (30, standing.points_by_source, standing.streak)
    assert told(community) == [(1, "bo", 20), (1, "cy", 20), (3, "dee", 10), (4, "eli", 0)]
    assert engage.rank("ada").rank == 1


def test_who_is_forgotten_is_not_sought(community: Community) -> None:
    """A sync does not look for a member who was forgotten."""
    community.engage.forget("ada")
    community.sync()
    assert IDS["ada"] not in community.sought[-1]


def test_who_is_forgotten_can_be_enrolled_again(community: Community) -> None:
    """A forgotten member can be enrolled again, with the points from before, a new link and a rank."""
    engage = community.engage
    engage.forget("ada")
    assert engage.enroll("ada", discord_id=IDS["ada"], name="Ada L.").outcome == "enrolled"
    assert community.sync(ada=5_000).opened == 1
    standing = engage.standing("ada")
    assert standing.discord is not None
    assert (standing.name, standing.points, standing.discord.status) == ("Ada L.", 30, "tracked")
    assert told(community)[0] == (1, "ada", 30)
