"""When a sync reads the board, what it stores, and what prevents it (R19-R21)."""

from datetime import timedelta

import pytest

from support.community import IDS, MONDAY, QUARTER, Community
from trc_engage import Board, ClockLeapt, Engage, InvalidValue, LedgerBusy, Sought, SourceError, SourceMissing
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.model import Decision
from trc_engage.usecases.sync import How, sync


@pytest.fixture
def community() -> Community:
    """Return a community with Ada, opened at 1,000 XP."""
    community = Community()
    community.enroll("ada")
    community.sync(ada=1_000)
    return community


def test_with_nobody_to_look_for_nothing_is_requested() -> None:
    """A sync with no account to look for sends no request (R21)."""
    community = Community()
    report = community.sync()
    assert (report.outcome, report.pages, community.sought) == ("synced", 0, [])


def test_within_five_minutes_the_last_reading_answers(community: Community) -> None:
    """Within five minutes, a sync answers `cached` with the last reading and changes nothing (R21)."""
    taken_at = community.now
    report = community.sync(timedelta(minutes=4, seconds=59), ada=2_000)
    assert (report.outcome, report.taken_at, report.unchanged, report.points) == ("cached", taken_at, 1, 0)
    assert len(community.sought) == 1
    assert community.sync(timedelta(seconds=1)).outcome == "synced"


def test_a_fresh_reading_can_be_asked_for(community: Community) -> None:
    """`fresh` reads the board at once; so does a decision about drops, which is meant for the board as it is now."""
    community.now += timedelta(seconds=1)
    community.xp["ada"] = 1_100
    assert community.engage.sync(fresh=True).points == 1
    community.xp["ada"] = 1_000
    assert community.engage.sync(accept_drops=True).points == -1


def test_a_dry_run_shows_and_posts_nothing(community: Community) -> None:
    """A dry run shows the planned moves in its report and leaves the ledger unchanged."""
    community.now += QUARTER
    community.xp["ada"] = 1_250
    report = community.engage.sync(dry_run=True)
    assert (report.outcome, report.gained, report.points) == ("planned", 1, 2)
    assert [(move.account.member_id, move.kind, move.points) for move in report.moves] == [("ada", "gain", 2)]
    assert community.points("ada") == 0
    assert community.engage.sync().points == 2


def test_it_says_whose_absence_would_be_news(community: Community) -> None:
    """Waiting and tracked accounts are expected on the board; absent ones and those opened at zero may be missing."""
    community.enroll("bo", "cy", "dee")
    community.sync(bo=5, cy=5)
    community.sync(cy=None)
    community.enroll("eli")
    community.sync()
    sought = community.sought[-1]
    assert isinstance(sought, Sought)
    assert set(sought) == {IDS[name] for name in ("ada", "bo", "cy", "dee", "eli")}
    assert sought.expected == {IDS[name] for name in ("ada", "bo", "eli")}


def test_failures_are_counted_and_raise(community: Community) -> None:
    """Each failed read raises and adds to the failure run, and the next good one ends the run (R20)."""
    community.trouble = SourceError("down", "no answer")
    for expected in (1, 2):
        with pytest.raises(SourceError, match="no answer"):
            community.sync()
        assert community.ledger.run_state().sync.failures == expected
    community.trouble = None
    community.sync()
    assert community.ledger.run_state().sync.failures == 0


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (SourceError("rate_limited", "slow down"), timedelta(minutes=15)),
        (SourceError("blocked", "go away"), timedelta(hours=1)),
        (SourceError("rate_limited", "slow down", timedelta(seconds=90)), timedelta(seconds=90)),
        (SourceError("rate_limited", "slow down", timedelta(days=9_999)), timedelta(hours=1)),
        (SourceError("rate_limited", "slow down", timedelta(seconds=-5)), timedelta(seconds=1)),
        (SourceError("down", "maintenance", timedelta(minutes=10)), timedelta(minutes=10)),
    ],
)
def test_a_request_to_wait_is_kept(community: Community, error: SourceError, wait: timedelta) -> None:
    """Until a requested wait ends, no sync reads, not even a fresh one, and the refusal is not a failure (R21)."""
    community.trouble = error
    with pytest.raises(SourceError) as caught:
        community.sync()
    until = community.now + wait
    assert caught.value.retry_at == until
    reads, community.trouble = len(community.sought), None
    community.now = until - timedelta(seconds=1)
    with pytest.raises(SourceError, match="asked to be left alone") as kept:
        community.engage.sync(fresh=True)
    assert (kept.value.kind, kept.value.retry_at) == (error.kind, until)
    assert (len(community.sought), community.ledger.run_state().sync.failures) == (reads, 1)
    community.now = until
    assert community.engage.sync(fresh=True).outcome == "synced"


def test_other_trouble_asks_for_no_wait(community: Community) -> None:
    """After a failure without a requested wait, the next sync reads again, even a second later."""
    community.trouble = SourceError("down", "no answer")
    with pytest.raises(SourceError) as caught:
        community.sync()
    assert caught.value.retry_at is None
    community.trouble = None
    assert community.sync(timedelta(seconds=1)).outcome == "synced"


def test_a_wait_noted_by_a_clock_that_ran_ahead_keeps_nobody(community: Community) -> None:
    """A wait recorded by a clock that ran a year ahead blocks no sync once the clock is set right."""
    community.trouble = SourceError("rate_limited", "slow down")
    with pytest.raises(SourceError):
        community.sync(timedelta(days=365))
    community.trouble = None
    assert community.sync(timedelta(days=-364)).outcome == "synced"


def test_a_wait_told_to_a_dry_run_is_kept_too(community: Community) -> None:
    """A wait that a dry run is asked for is kept, although the dry run adds nothing to the failure run."""
    community.trouble = SourceError("rate_limited", "slow down")
    community.now += QUARTER
    with pytest.raises(SourceError):
        community.engage.sync(dry_run=True)
    state = community.ledger.run_state().sync
    assert (state.failures, state.wait is not None) == (0, True)


def test_half_a_board_is_none(community: Community) -> None:
    """A board that was not read in full and lacks a sought account is refused and pays nothing (R19)."""
    community.enroll("bo")
    community.whole = False
    with pytest.raises(SourceError, match="1 of 2 accounts not found") as caught:
        community.sync(ada=2_000)
    assert caught.value.kind == "malformed"
    assert community.points("ada") == 0


class DuringTheRead:
    """A source that runs given actions in the middle of a read."""

    def __init__(self, community: Community) -> None:
        self.community = community
        self.happens: list[object] = []

    def read(self, sought: frozenset[str], /) -> Board:
        """Run the actions, then return the community's board."""
        while self.happens:
            self.happens.pop()()  # type: ignore[operator]
        return self.community.read(sought)


@pytest.fixture
def interrupted(community: Community) -> DuringTheRead:
    """Give the community a source whose reads can be interrupted, and return it."""
    source = DuringTheRead(community)
    community.engage = Engage(ledger=community.ledger, source=source, clock=lambda: community.now)
    return source


def test_who_leaves_during_the_read_is_planned_again(community: Community, interrupted: DuringTheRead) -> None:
    """If a member leaves during the read, the sync is planned again from the same board without that account (R19)."""
    community.enroll("bo")
    community.sync(bo=0)
    interrupted.happens = [lambda: community.engage.leave("ada")]
    report = community.sync(ada=2_000, bo=500)
    assert (report.gained, report.points) == (1, 5)
    assert community.points("ada") == 0


def test_who_is_linked_or_returns_during_the_read_is_not_touched(
    community: Community, interrupted: DuringTheRead
) -> None:
    """An account linked or returned during the read stays as it is, because the read did not look for it (R19)."""
    community.enroll("bo")
    community.sync(bo=0)

    def meanwhile() -> None:
        community.now += timedelta(seconds=1)
        community.enroll("cy")
        community.engage.leave("bo")
        community.engage.rejoin("bo")

    interrupted.happens = [meanwhile]
    report = community.sync(ada=1_100, bo=900, cy=7)
    assert (report.gained, report.opened, report.points) == (1, 0, 1)
    statuses = {account.member_id: account.status for account in community.ledger.accounts_to_sync()}
    assert statuses == {"ada": "tracked", "bo": "tracked", "cy": "waiting"}
    assert community.sync().points == 9


def test_who_returned_just_as_the_read_began_is_among_those_it_seeks(
    community: Community, interrupted: DuringTheRead
) -> None:
    """A member who returned just before the read is paid, even if another's leave makes the sync plan again (R19)."""
    community.enroll("bo")
    community.sync(bo=0)
    community.now += QUARTER
    community.engage.leave("ada")
    community.engage.rejoin("ada")
    interrupted.happens = [lambda: community.engage.leave("bo")]
    assert community.sync(timedelta(0), ada=1_100, bo=500).points == 1


def test_one_sync_at_a_time(community: Community, interrupted: DuringTheRead) -> None:
    """A sync that starts while another one reads is refused as busy (R21)."""
    refused: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(LedgerBusy) as caught:
            community.engage.sync(fresh=True)
        refused.append(str(caught.value))

    interrupted.happens = [meanwhile]
    community.sync(ada=1_100)
    assert len(refused) == 1
    assert community.points("ada") == 1


def test_a_sync_that_was_overtaken_writes_nothing(community: Community, interrupted: DuringTheRead) -> None:
    """A sync whose lease ran out during its read writes nothing if another sync was posted in the meantime."""

    def meanwhile() -> None:
        community.now += timedelta(minutes=40)
        community.xp["ada"] = 1_500
        community.engage.sync(fresh=True)
        community.xp["ada"] = 1_100

    interrupted.happens = [meanwhile]
    # A server's time is that of its first answer, which came before all this.
    community.tells_time = False
    with pytest.raises(LedgerBusy, match="another took over"):
        community.sync()
    assert community.points("ada") == 5


def test_without_a_source_it_cannot_sync() -> None:
    """An `Engage` without a source refuses to sync and says which argument is missing."""
    engage = Engage(ledger=MemoryLedger(), clock=lambda: MONDAY)
    with pytest.raises(SourceMissing, match=r"Engage\(source="):
        engage.sync()


def test_one_decision_at_a_time(community: Community) -> None:
    """Accepting drops and rebasing them in one sync is refused, because they contradict each other."""
    with pytest.raises(InvalidValue, match="either accept_drops or rebase_drops"):
        community.engage.sync(accept_drops=True, rebase_drops=True)


def test_a_naive_clock_is_refused(community: Community) -> None:
    """A clock without a timezone is refused, and the error names the clock."""
    community.now = community.now.replace(tzinfo=None)
    with pytest.raises(InvalidValue, match=r"clock: .*timezone-aware"):
        community.engage.sync()


def test_what_the_last_reading_held_is_counted(community: Community) -> None:
    """A cached report counts the accounts that the last reading showed or lacked, and none enrolled since."""
    community.enroll("bo")
    community.sync(ada=None, bo=50)
    community.enroll("cy")
    report = community.sync(timedelta(minutes=1))
    assert (report.outcome, report.unchanged, report.absent) == ("cached", 1, 1)


def test_with_nobody_to_look_for_a_dry_run_is_one(community: Community) -> None:
    """With no account to look for, a dry run still ends as planned, and a leap of the clock is still refused (R22)."""
    community.engage.unlink("ada")
    assert community.engage.sync(dry_run=True, fresh=True).outcome == "planned"
    community.now += timedelta(days=8)
    with pytest.raises(ClockLeapt):
        community.engage.sync()


def test_a_report_says_of_which_board_it_is() -> None:
    """A posted report names its board and has no moves left; adopting the same board or reading another fails (R24)."""
    community = Community()
    community.board_id = "mee6:111"
    community.enroll("ada")
    community.sync(ada=1_000)
    report = community.sync(ada=1_250)
    assert (report.outcome, report.board_id, report.points, report.moves) == ("synced", "mee6:111", 2, ())
    adopted = {"adopt_board": True, "by": "admin-7", "reason": "we moved"}
    with pytest.raises(InvalidValue, match=r"^adopt_board: .*are of this board already") as same:
        community.engage.sync(**adopted)  # type: ignore[arg-type]
    assert same.value.field == "adopt_board"
    community.board_id = "mee6:222"
    with pytest.raises(SourceError) as other:
        community.sync()
    assert (other.value.kind, other.value.argument) == ("another_board", "adopt_board")


def test_a_decision_is_refused_if_more_would_be_lost_than_was_shown(community: Community) -> None:
    """A decision is refused if the board, read again, would take away more than was shown (R27)."""
    community.now += QUARTER
    decision = Decision("accept_drops", "admin-7", "cleaned up")
    community.xp["ada"] = 800
    shown = sync(community.ledger, community, lambda: community.now, How(dry_run=True, decision=decision))
    assert shown.points == -2
    community.xp["ada"] = 400
    with pytest.raises(SourceError) as refused:
        sync(community.ledger, community, lambda: community.now, How(decision=decision, shown=shown))
    assert (refused.value.kind, community.points("ada")) == ("distrusted", 0)
    community.xp["ada"] = 800
    sync(community.ledger, community, lambda: community.now, How(decision=decision, shown=shown))
    assert community.points("ada") == -2
