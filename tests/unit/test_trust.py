"""Boards that are not trusted (R10), and clocks (R22)."""

from datetime import timedelta
from typing import Any

import pytest

from support.community import MONDAY, NAMES, Community
from trc_engage import Board, ClockWentBack, DiscordActivity, SourceError, SyncReport
from trc_engage.core.boards import why_distrusted
from trc_engage.core.posting import SyncState
from trc_engage.core.sync import plan_sync
from trc_engage.entrypoints.wording.alerts import describe_error


@pytest.fixture
def community() -> Community:
    """Return a community of nine members with 1,000 XP each, on a board of 29 rows."""
    community = Community()
    community.enroll(*NAMES)
    community.sync(**dict.fromkeys(NAMES, 1_000))
    return community


def meaning(community: Community) -> object:
    """Return the entries, accounts and balances, none of which a refused sync may change."""
    return community.engage.feed(), community.ledger.accounts_to_sync(), community.engage.members()


def refused(community: Community, **xp: int | None) -> SourceError:
    """Sync, which must fail and change nothing but the failure run, and return the error."""
    before, failures = meaning(community), community.ledger.run_state().sync.failures
    with pytest.raises(SourceError) as caught:
        community.sync(**xp)
    assert meaning(community) == before
    assert community.ledger.run_state().sync.failures == failures + 1
    return caught.value


def decided(community: Community, decision: str) -> SyncReport:
    """Sync with an admin's decision."""
    how: dict[str, Any] = {decision: True}
    return community.engage.sync(**how)


def test_four_may_fall(community: Community) -> None:
    """A drop of fewer than five members is deducted, whatever their share."""
    assert community.sync(**dict.fromkeys(NAMES[:4], 0)).deducted == 4


def test_five_that_fall_are_distrusted(community: Community) -> None:
    """A drop of five of nine members is refused, with the numbers and the two commands that decide."""
    error = refused(community, **dict.fromkeys(NAMES[:5], 0))
    assert error.kind == "distrusted"
    assert "lower 5 of 9 members" in str(error)
    assert "taking 50 points" in str(error)
    assert "`trc-engage sync --accept-drops` accepts it" in describe_error(error)
    assert "`trc-engage sync --rebase-drops` rebases it" in describe_error(error)


@pytest.mark.parametrize(("members", "believed"), [(50, True), (49, False)])
def test_a_tenth_may_fall(members: int, believed: bool) -> None:
    """A drop of five of fifty members is a tenth and trusted; five of forty-nine are more."""
    readings = {str(1_000 + number): 500 for number in range(members)}
    state = SyncState(good_run=1, good_at=MONDAY)
    accounts = [
        DiscordActivity(number, 1, f"m{number}", discord_id, "tracked", "continues", 0, 500, 500, 500)
        for number, discord_id in enumerate(readings)
    ]
    board = Board({**readings, **{str(1_000 + number): 0 for number in range(5)}}, whole=False, rows=members, pages=1)
    plan = plan_sync(accounts, board, MONDAY, state)
    assert (why_distrusted(plan, board, MONDAY, state) is None) is believed


def test_a_board_that_halves_is_distrusted(community: Community) -> None:
    """A board with under half the rows of the last one read to its end is refused, as cut short or reset."""
    community.strangers = 6
    assert community.sync().outcome == "synced"
    community.strangers = 0
    error = refused(community, **dict.fromkeys(NAMES[:2]))
    assert "7 rows, under half of the 15" in str(error)


def test_an_old_board_is_no_measure(community: Community) -> None:
    """A board is compared with the last whole one for seven days, and no longer."""
    community.strangers = 0
    with pytest.raises(SourceError):
        community.sync(timedelta(days=7), **dict.fromkeys(NAMES[:2]))
    assert community.sync(timedelta(seconds=1)).absent == 2


def test_a_read_that_stopped_early_says_nothing_of_the_length(community: Community) -> None:
    """A read that found everyone and stopped early may have few rows."""
    community.whole, community.strangers = False, 0
    assert community.sync().unchanged == 9


def test_an_empty_board_is_distrusted_until_an_admin_decides(community: Community) -> None:
    """An empty board is refused until an admin accepts it, and counts as known from then on."""
    community.strangers = 0
    error = refused(community, **dict.fromkeys(NAMES))
    assert "the board is empty (the last one had 29 rows)" in str(error)
    assert decided(community, "accept_drops").absent == 9
    assert community.sync().absent == 9


def test_the_first_board_of_all_may_not_be_empty() -> None:
    """An empty first board is refused, because it more likely means that the plugin is off."""
    community = Community()
    community.strangers = 0
    community.enroll("ada")
    with pytest.raises(SourceError, match="the board is empty; nothing was changed"):
        community.sync()


def test_if_the_board_recovers_nothing_ever_happened(community: Community) -> None:
    """XP earned while a board was not trusted is paid by the next good sync."""
    refused(community, **dict.fromkeys(NAMES, 0))
    report = community.sync(**dict.fromkeys(NAMES, 1_100))
    assert (report.gained, report.points) == (9, 9)


def test_accepted_drops_are_deducted(community: Community) -> None:
    """Drops that an admin accepts are deducted."""
    refused(community, **dict.fromkeys(NAMES, 500))
    report = decided(community, "accept_drops")
    assert (report.deducted, report.points) == (9, -45)


def test_rebased_drops_keep_everybodys_points(community: Community) -> None:
    """Rebasing drops after a season reset keeps all points, and the new season pays from its first XP."""
    community.sync(**dict.fromkeys(NAMES, 1_350))
    refused(community, **dict.fromkeys(NAMES, 20))
    report = decided(community, "rebase_drops")
    assert (report.rebased, report.points) == (9, 0)
    assert {community.points(name) for name in NAMES} == {3}
    assert community.sync(**dict.fromkeys(NAMES, 70)).points == 9


def test_a_season_reset_rebases_those_whom_it_emptied_out(community: Community) -> None:
    """A member who vanished with a season reset starts the new season at zero, without a deduction."""
    community.sync(**dict.fromkeys(NAMES, 1_350))
    community.strangers = 0
    refused(community, **dict.fromkeys(NAMES))
    assert decided(community, "rebase_drops").rebased == 9
    assert community.sync(ada=60).points == 1
    assert community.points("ada") == 4


def test_who_vanished_by_mistake_is_rebased_back(community: Community) -> None:
    """Old XP that reappears after a season reset pays nothing (R2a)."""
    community.sync(**dict.fromkeys(NAMES, 5_000))
    community.strangers = 0
    refused(community, **dict.fromkeys(NAMES))
    decided(community, "rebase_drops")
    report = community.sync(**dict.fromkeys(NAMES, 5_100))
    assert (report.rebased, report.points) == (9, 0)


def test_a_dry_run_of_a_distrusted_board_is_no_failure(community: Community) -> None:
    """A dry run of a distrusted board raises like a real sync, but does not count as a failure (R20)."""
    community.now += timedelta(minutes=15)
    community.xp.update(dict.fromkeys(NAMES, 0))
    with pytest.raises(SourceError):
        community.engage.sync(dry_run=True)
    assert community.ledger.run_state().sync.failures == 0


@pytest.mark.parametrize(("seconds", "trusted"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_the_servers_clock_must_agree(community: Community, seconds: int, trusted: bool) -> None:
    """A sync fails if the board's server and this machine are more than five minutes apart (R22)."""
    community.now += timedelta(minutes=15)
    community.server_at = community.now + timedelta(seconds=seconds)
    if trusted:
        assert community.engage.sync().unchanged == 9
        return
    with pytest.raises(SourceError, match="one of the clocks is wrong") as caught:
        community.engage.sync()
    assert caught.value.kind == "clock"
    assert "`timedatectl set-ntp true`" in describe_error(caught.value)


def test_time_never_goes_back(community: Community) -> None:
    """A sync before the last good one is refused with both times and the way out, and reads nothing."""
    reads = len(community.sought)
    with pytest.raises(ClockWentBack, match="from a backup") as caught:
        community.sync(timedelta(days=-365))
    assert "`date -u`" in describe_error(caught.value)
    assert "2025-03-02" in str(caught.value)
    assert "2026-03-02" in str(caught.value)
    assert len(community.sought) == reads


def test_two_minutes_back_are_the_same_instant(community: Community) -> None:
    """A sync up to two minutes before the latest instant seen counts as of that instant; an earlier one is refused."""
    seen_at = community.now
    community.now -= timedelta(minutes=2)
    community.xp["ada"] = 1_100
    report = community.engage.sync(fresh=True)
    assert (report.taken_at, report.points) == (seen_at, 1)
    community.now -= timedelta(seconds=1)
    with pytest.raises(ClockWentBack):
        community.engage.sync(fresh=True)
