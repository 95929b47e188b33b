"""What a board means for each account (R2-R6, R11a, R19), in short stories."""

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from support.community import IDS, MONDAY, QUARTER, Community
from trc_engage import SyncReport


@pytest.fixture
def community() -> Community:
    """Return a community with Ada, opened at 1,000 XP."""
    community = Community()
    community.enroll("ada")
    community.sync(ada=1_000)
    return community


def counts(report: SyncReport) -> dict[str, int]:
    """Return the report's numbers of accounts, without the zeros."""
    names = ("opened", "gained", "deducted", "rebased", "unchanged", "absent", "missed")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def active_days(community: Community, name: str = "ada") -> list[date]:
    """Return the days on which the member was active on Discord."""
    return [one.day for one in community.ledger.evidence(name, date.min, date.max)]


def test_xp_from_before_the_ledger_pays_nothing() -> None:
    """The first sync opens an account at the XP it reads, silently (R2)."""
    community = Community()
    community.enroll("ada")
    assert counts(community.sync(ada=123_456)) == {"opened": 1}
    assert community.points("ada") == 0
    (opening,) = community.engage.history("ada")
    assert (opening.kind, opening.silent) == ("opening", True)
    assert active_days(community) == []


def test_who_is_not_on_the_board_is_tracked_from_day_one() -> None:
    """A member who is not on the board is opened at zero, and all XP earned later pays (R2)."""
    community = Community()
    community.enroll("ada")
    assert counts(community.sync()) == {"opened": 1}
    assert counts(community.sync()) == {"unchanged": 1}
    assert counts(community.sync(ada=140)) == {"gained": 1}
    assert community.points("ada") == 1
    assert active_days(community) == [MONDAY.date()]


@pytest.mark.parametrize(
    ("xp", "minutes", "outcome", "points"),
    [(1_500, 15, "gained", 15), (1_501, 15, "rebased", 0), (1_600, 16, "gained", 16), (1_601, 16, "rebased", 0)],
)
def test_first_xp_that_could_not_have_been_earned_is_history(xp: int, minutes: int, outcome: str, points: int) -> None:
    """First XP above 1,500 and above 100 a minute was missed by an earlier board and pays nothing (R2a)."""
    community = Community()
    community.enroll("ada")
    community.sync()
    assert counts(community.sync(timedelta(minutes=minutes), ada=xp)) == {outcome: 1}
    assert community.points("ada") == points
    assert community.sync(ada=xp + 100).points == 1


def test_absent_is_not_zero(community: Community) -> None:
    """A member missing from a whole board keeps XP and points, and the next reading continues from there (R5)."""
    community.sync(ada=1_250)
    assert counts(community.sync(ada=None)) == {"absent": 1}
    assert counts(community.sync()) == {"absent": 1}
    standing = community.engage.standing("ada")
    assert standing.discord is not None
    assert (standing.points, standing.discord.status, standing.discord.xp_total) == (2, "absent", 1_250)
    assert counts(community.sync(ada=1_260)) == {"gained": 1}
    assert counts(community.sync(ada=None)) == {"absent": 1}
    assert counts(community.sync(ada=1_100)) == {"deducted": 1}
    assert community.points("ada") == 1


def test_points_may_go_below_zero(community: Community) -> None:
    """A fall below the baseline is deducted like any other and makes the balance negative (R4)."""
    assert community.sync(ada=0).points == -10
    assert community.points("ada") == -10


def test_who_left_is_not_sought_and_goes_on_after_the_return(community: Community) -> None:
    """A sync does not look for a member who left; a higher reading after the return pays from the kept XP (R6)."""
    community.enroll("bo")
    community.engage.leave("ada")
    community.sync(ada=9_000)
    assert community.sought[-1] == {IDS["bo"]}
    community.engage.rejoin("ada")
    assert counts(community.sync(ada=1_500)) == {"gained": 1, "unchanged": 1}
    assert community.points("ada") == 5


def test_a_lower_reading_after_a_return_is_a_rebase(community: Community) -> None:
    """A lower first reading after a return rebases the account: points and carried XP stay (R6)."""
    community.sync(ada=1_250)
    community.engage.leave("ada")
    community.engage.rejoin("ada")
    assert counts(community.sync(ada=None)) == {"absent": 1}
    assert counts(community.sync(ada=20)) == {"rebased": 1}
    standing = community.engage.standing("ada")
    assert standing.discord is not None
    assert (standing.points, standing.discord.xp_carried, standing.discord.xp_total) == (2, 50, 20)
    assert community.sync(ada=69).points == 0
    assert community.sync(ada=70).points == 1
    assert counts(community.sync(ada=60)) == {"deducted": 1}


def test_the_window_after_a_return_begins_with_it(community: Community) -> None:
    """A rise after two months away counts for the days since the return, not for those of the absence (R12)."""
    community.engage.leave("ada")
    community.now += timedelta(days=60)
    returned_at = community.now
    community.engage.rejoin("ada")
    community.sync(ada=1_030)
    assert active_days(community) == [returned_at.date()]


def test_a_new_link_pays_nothing_twice(community: Community) -> None:
    """A new link starts a new baseline, even for the same id, so no XP pays twice (R7)."""
    community.sync(ada=1_300)
    community.engage.unlink("ada")
    community.enroll("bo")
    community.engage.link("ada", IDS["cy"])
    community.engage.unlink("ada")
    community.engage.link("ada", IDS["ada"])
    community.sync(ada=1_800)
    community.sync(ada=1_900)
    assert community.points("ada") == 4


def test_a_rise_short_of_a_point_is_activity(community: Community) -> None:
    """A rise of 1 XP makes the day active, although it pays no point (R11)."""
    community.sync(ada=1_001)
    assert community.points("ada") == 0
    assert active_days(community) == [MONDAY.date()]


@pytest.mark.parametrize(
    ("readings", "active"),
    [
        ([1_000, 1_000], False),
        ([900, 1_000], False),
        ([900, 900, 1_000], True),
        ([900, 950], False),
        ([900, 950, 960], True),
        ([900, 1_001], True),
        ([900, None, 950], False),
        ([900, 900, None, 950], True),
        ([900, 950, 950, 951], True),
    ],
)
def test_a_stale_page_fakes_no_activity(community: Community, readings: list[int | None], active: bool) -> None:
    """Only a reading above both of the two before it shows activity (R11a)."""
    community.now += timedelta(days=1)
    community.sync(ada=1_000)
    for xp in readings:
        community.sync(ada=xp)
    assert bool(active_days(community)) is active


def test_who_was_missed_is_not_looked_for(community: Community) -> None:
    """An account that a read missed is not marked absent, and its window goes on to the next reading (R19)."""
    community.missed = {"ada"}
    community.xp.clear()
    assert counts(community.sync(timedelta(days=1))) == {"missed": 1}
    community.sync(timedelta(days=1))
    standing = community.engage.standing("ada")
    assert standing.discord is not None
    assert standing.discord.status == "tracked"
    community.missed = set()
    community.sync(timedelta(days=1), ada=1_100)
    assert len(active_days(community)) == 4
    community.sync(timedelta(hours=1), ada=1_200)
    assert len(active_days(community)) == 4


def test_who_was_missed_is_not_opened() -> None:
    """An account that a read missed is not opened; the next sync that looks for it opens it (R2)."""
    community = Community()
    community.enroll("ada")
    community.missed = {"ada"}
    assert counts(community.sync()) == {"missed": 1}
    community.missed = set()
    assert counts(community.sync(ada=5_000)) == {"opened": 1}


names = st.sampled_from(sorted(IDS))


@given(st.lists(st.dictionaries(names, st.none() | st.integers(0, 3_000)), max_size=8), st.sets(names, min_size=1))
def test_every_account_sought_is_counted_once(boards: list[dict[str, int | None]], enrolled: set[str]) -> None:
    """A report's counts add up to the accounts it looked for, and its points to those of its entries."""
    community = Community()
    community.enroll(*sorted(enrolled))
    for board in boards:
        community.now += QUARTER
        community.xp.update({name: xp for name, xp in board.items() if xp is not None})
        position = len(community.engage.feed())
        report = community.engage.sync(accept_drops=True)
        assert sum(counts(report).values()) == len(enrolled)
        assert report.points == sum(entry.points for entry in community.engage.feed(after=position))
