"""The ledger contract for runs, boards, rosters, clocks and concurrent threads."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier

import pytest
from attrs import evolve

from ...core.boards import Board
from ...core.errors import Conflict, LeaseLost, LedgerBusy, RosterError
from ...core.incidents import ChannelState, FailureRun, SentNotice, Topic
from ...core.model import Decision, Move
from ...core.posting import Posting, Settlement, SyncFailure, SyncRun, SyncState
from ...core.records import Check, ClockDecision
from ...core.reports import SyncReport
from ...core.roster import Contradiction, Round
from ...core.settlement import ends_at
from ...core.slots import SlotEnd, Wait
from ...core.sync import plan_adoption
from ...usecases.audit import audit
from .story import ADA, ADA_ID, BO, BO_ID, CY, CY_ID, LATER, MONDAY, AuditedStory, StoreContract, Story

THREADS = 8
MINUTES = timedelta(minutes=5)
YEAR = timedelta(days=365)
DOWN = SyncFailure(LATER, "down", "no answer", counts=True)
AS_IT_WAS = {ADA_ID: 1_000, BO_ID: 50}
ONE, OTHER = "mee6:1", "mee6:2"


class RunsContract(StoreContract):
    """What the store must keep of syncs, waits, boards (R19-R21, R24), rosters (R25), leases and notices."""

    def test_a_good_sync_is_remembered(self, members: Story) -> None:
        """The state keeps when the last good sync read, and the size of the last board that was read to its end."""
        state, whole_at = members.ledger.run_state().sync, members.at
        assert (state.good_at, state.seen_at, state.whole_at, state.whole_rows) == (*[members.at] * 3, 2)
        assert state.good_run > 0
        members.sync({ADA_ID: 1_006}, whole=False)
        state = members.ledger.run_state().sync
        assert (state.good_at, state.seen_at, state.whole_at, state.whole_rows) == (*[members.at] * 2, whole_at, 2)

    def test_it_is_kept_when_xp_rose_as_activity(self, members: Story) -> None:
        """`rose_at` is the start of the window of the last active rise; a fall and its recovery leave it as it was."""
        assert members.account(ADA).rose_at is None
        opened_at = members.at
        for xp in (1_025, 1_020, 1_025):
            members.sync({ADA_ID: xp})
            assert members.account(ADA).rose_at == opened_at

    def test_failures_in_a_row_are_counted_until_a_good_sync(self, members: Story) -> None:
        """Failures in a row are counted, if they count, until a good sync."""
        first, dry = evolve(DOWN, at=MONDAY), SyncFailure(MONDAY, "private", "closed", counts=False)
        last = evolve(DOWN, kind="blocked", message="no")
        for failure in (first, dry, last):
            members.post(at=failure.at, failure=failure)
        assert members.ledger.run_state().sync.failure_run == FailureRun(2, MONDAY, "blocked", "no")
        members.sync(AS_IT_WAS)
        assert members.ledger.run_state().sync.failure_run is None
        members.post(at=LATER, failure=last)
        assert members.ledger.run_state().sync.failure_run == FailureRun(1, LATER, "blocked", "no")

    def test_a_wait_is_kept_until_the_next_run(self, members: Story) -> None:
        """A wait that the server asked for is kept, even from a dry run, until the next run."""
        _fail(members, "", MINUTES, counts=False)
        assert members.ledger.run_state().sync.wait == Wait("rate_limited", members.at + MINUTES)
        members.sync(AS_IT_WAS)
        assert members.ledger.run_state().sync.wait is None

    def test_each_board_has_a_wait_of_its_own(self, members: Story) -> None:
        """A failure replaces the wait of the board it asked, if any; a good sync ends its board's and unnamed ones."""
        for board_id in (ONE, OTHER, ""):
            _fail(members, board_id, 2 * MINUTES)
        _fail(members, None)
        wait = Wait("rate_limited", members.at + 2 * MINUTES)
        assert members.ledger.run_state().sync.waits == {ONE: wait, OTHER: wait, "": wait}
        _fail(members, OTHER)
        members.sync(AS_IT_WAS, board_id=OTHER)
        assert members.ledger.run_state().sync.waits == {ONE: wait}
        _fail(members, ONE, MINUTES)
        assert members.ledger.run_state().sync.waits == {ONE: Wait("rate_limited", members.at + MINUTES)}

    def test_the_board_is_that_of_the_last_good_sync(self, members: Story) -> None:
        """The state names the board of the last good sync; a failed run does not change it."""
        assert members.ledger.run_state().sync.board_id == ""
        members.sync(AS_IT_WAS, board_id=ONE)
        _fail(members, OTHER)
        assert members.ledger.run_state().sync.board_id == ONE

    def test_an_adoption_rebases_marks_and_is_on_record(self, members: Story) -> None:
        """An adoption's entries say who decided and why, members who left are rebased later, and all waits end."""
        members.enroll("m-dee", CY_ID)
        members.sync({**AS_IT_WAS, CY_ID: 700})
        members.restate("m-dee", "left")
        _fail(members, ONE, MINUTES)
        members.at += timedelta(minutes=15)
        state, board = members.ledger.run_state().sync, Board({ADA_ID: 77_000}, whole=True, rows=9, pages=1)
        looked_for = {account.account_id for account in members.ledger.accounts_to_sync()}
        plan = plan_adoption(members.ledger.linked_accounts(), looked_for, board, members.at, state)
        decision = Decision("adopt_board", "admin-7", "we moved")
        run = SyncRun(SyncReport("synced", members.at, rows=9), True, state.good_run, OTHER, decision)  # noqa: FBT003
        members.post(moves=plan.moves, run=run)
        state = members.ledger.run_state().sync
        assert (state.board_id, state.whole_rows, state.waits) == (OTHER, 9, {})
        ada, bo, dee = (members.account(member_id) for member_id in (ADA, BO, "m-dee"))
        assert (ada.xp_total, ada.xp_baseline, ada.next_reading) == (77_000, 77_000, "continues")
        assert (bo.xp_total, bo.xp_baseline, bo.next_reading) == (0, 0, "begins")
        assert (dee.xp_total, dee.status, dee.next_reading) == (700, "left", "rebases")
        newest = members.ledger.feed(after=3, limit=10)
        told = [(one.kind, one.points, one.silent, one.actor, one.reason) for one in newest]
        assert told == [("rebase", 0, True, "admin-7", "we moved")] * 2

    def test_only_what_was_decided_on_says_so(self, members: Story) -> None:
        """An accepted deduction says who decided and why; a gain in the same sync does not."""
        members.sync({ADA_ID: 800, BO_ID: 150}, decision=Decision("accept_drops", "admin-7", "they cheated"))
        told = [(one.kind, one.actor, one.reason) for one in members.ledger.feed(after=2, limit=10)]
        assert told == [("deduction", "admin-7", "they cheated"), ("gain", None, None)]

    def test_what_rosters_told_is_kept(self, members: Story) -> None:
        """The last check of each linked account is kept to the microsecond, and so are contradictions to notes."""
        at = [MONDAY + timedelta(microseconds=number) for number in range(6)]
        first = Check(members.account(ADA).account_id, "1", at[0])
        told = evolve(first, guild_id="2", present_at=at[1], joined_at=at[2], gone_at=at[3], confirmed_at=at[4])
        other = Check(members.account(BO).account_id, "2", at[5], contradicts=True)
        for checks in ([first], [told, other]):
            members.post(round=Round(MONDAY, LATER, checks))
        assert members.ledger.checks() == [told, other]
        assert [members.ledger.checks(who) for who in (ADA, BO, CY)] == [[told], [other], []]
        state = members.ledger.run_state().roster
        assert (state.failure_run, state.next_at) == (None, LATER)
        assert list(state.contradictions) == [Contradiction(BO, is_left=False)]
        members.restate(BO, "unlinked")
        assert members.ledger.checks() == [told]
        assert not members.ledger.run_state().roster.contradictions

    def test_rounds_that_fail_are_counted_apart_from_syncs(self, story: Story) -> None:
        """Failed rounds are counted until a clear one, including those that need a decision, and apart from syncs."""
        assert not story.ledger.run_state().roster.is_known
        down, distrusted = RosterError("down", "no answer"), RosterError("distrusted", "all left")
        for at, error in ((MONDAY, down), (LATER, distrusted)):
            story.post(at=at, round=Round(at, at, error=error))
        urgent = FailureRun(1, LATER, "distrusted", "all left")
        failure_run = FailureRun(2, MONDAY, "distrusted", "all left", urgent)
        state = story.ledger.run_state()
        assert (state.roster.failure_run, state.roster.next_at, state.sync) == (failure_run, LATER, SyncState())
        for is_clear, expected in ((False, failure_run), (True, None)):
            story.post(at=LATER, round=Round(LATER, LATER, is_clear=is_clear))
            assert story.ledger.run_state().roster.failure_run == expected

    @pytest.mark.parametrize(
        ("taken_at", "asked_at", "is_free"),
        [
            (MONDAY, MONDAY + timedelta(seconds=1), False),
            (MONDAY, MONDAY + MINUTES - timedelta(microseconds=1), False),
            (MONDAY, MONDAY + MINUTES, True),
            (MONDAY, MONDAY - timedelta(seconds=1), False),
            (MONDAY, MONDAY - YEAR, True),
        ],
    )
    def test_a_lease_keeps_others_out_until_it_expires(
        self, story: Story, taken_at: datetime, asked_at: datetime, *, is_free: bool
    ) -> None:
        """A lease holds until it expires, also shortly before it began but not a year before; tasks share none."""
        story.ledger.lease("sync", taken_at, taken_at + MINUTES)
        story.ledger.lease("other", asked_at, asked_at + MINUTES)
        if is_free:
            lease = story.ledger.lease("sync", asked_at, asked_at + MINUTES)
            assert (lease.task, lease.taken_at, lease.until) == ("sync", asked_at, asked_at + MINUTES)
            assert story.ledger.run_state().lease_of("sync") == lease
        else:
            with pytest.raises(LedgerBusy, match="sync"):
                story.ledger.lease("sync", asked_at, asked_at + MINUTES)

    def test_a_lease_that_is_released_is_free(self, story: Story) -> None:
        """A lease can be released twice; `took_over` is set only if the one before expired without a release."""
        first = story.ledger.lease("run", MONDAY, LATER)
        second = story.ledger.lease("run", LATER, LATER + MINUTES)
        assert story.ledger.run_state().lease_of("run") == second
        for _ in range(2):
            story.ledger.release(second)
        assert story.ledger.run_state().lease_of("run") is None
        third = story.ledger.lease("run", LATER, LATER + MINUTES)
        assert [first.took_over, second.took_over, third.took_over] == [False, True, False]

    def test_a_lease_can_be_held_for_longer(self, story: Story) -> None:
        """A renewed lease keeps others out past its first expiry."""
        lease, until = story.ledger.lease("run", MONDAY, LATER), LATER + MINUTES
        story.ledger.renew(lease, until)
        assert story.ledger.run_state().lease_of("run") == evolve(lease, until=until)
        with pytest.raises(LedgerBusy):
            story.ledger.lease("run", LATER, until)

    def test_a_lease_that_was_lost_is_noticed(self, story: Story) -> None:
        """After another run took over, the old lease can be neither renewed nor released, nor written under."""
        old = story.ledger.lease("run", MONDAY, LATER)
        new = story.ledger.lease("run", LATER, LATER + MINUTES)
        story.ledger.release(old)
        before = story.meaning()
        with pytest.raises(LeaseLost):
            story.ledger.renew(old, LATER + 2 * MINUTES)
        begun = SentNotice("a", "source", "alert", MONDAY, LATER, is_sure=False)
        for parts in ({"failure": DOWN}, {"begun": [begun], "channels": [ChannelState("a", "f", MONDAY)]}):
            with pytest.raises(LeaseLost):
                story.post(lease=old, **parts)
        assert story.meaning() == before
        assert story.ledger.run_state().lease_of("run") == new

    def test_what_is_written_under_a_lease_is_written(self, story: Story) -> None:
        """A run may write under its lease, even after it expires, until another run takes over."""
        lease, end = story.ledger.lease("run", MONDAY, LATER), SlotEnd(MONDAY, "synced", LATER)
        story.post(at=LATER + timedelta(hours=1), slot=end, lease=lease)
        assert story.ledger.run_state(MONDAY).slot_end(MONDAY) == end

    def test_when_the_next_request_may_go_out_is_remembered_for_all(self, story: Story) -> None:
        """The last time recorded for each task's next request is kept, even if it is earlier than the one before."""
        for at in (LATER, MONDAY):
            story.ledger.keep_request("run", at)
            assert story.ledger.next_request_at("run") == at
        assert story.ledger.next_request_at("other") is None

    def test_a_slot_ends_once(self, story: Story) -> None:
        """A second end of a slot raises `LeaseLost` and writes nothing, and the latest slot stays the last one."""
        first = SlotEnd(MONDAY, "failed", LATER)
        story.post(slot=first)
        with pytest.raises(LeaseLost):
            story.post(failure=DOWN, slot=SlotEnd(MONDAY, "synced", LATER))
        assert story.ledger.run_state(MONDAY).slot_end(MONDAY) == first
        assert story.ledger.run_state().sync.failure_run is None
        story.post(slot=SlotEnd(MONDAY - timedelta(minutes=15), "waiting", LATER))
        assert story.ledger.run_state().last_slot == first

    def test_the_last_notice_of_each_topic_is_remembered(self, story: Story) -> None:
        """The last notice of each topic is kept for each channel."""
        alert = SentNotice("webhook", "source", "alert", MONDAY, MONDAY)
        other, frozen = evolve(alert, channel="sentry", at=LATER), evolve(alert, topic="frozen", at=LATER)
        clear = evolve(alert, kind="all_clear", at=LATER)
        for told in (alert, other, clear, frozen):
            story.post(at=told.at, sent=[told])
        assert list(story.ledger.run_state().notices_sent) == [other, frozen, clear]

    def test_a_notice_is_begun_until_it_is_known_what_became_of_it(self, story: Story) -> None:
        """A begun notice is kept until it is sent or withdrawn, whatever happens on other channels."""
        begun = [SentNotice(channel, "source", "alert", MONDAY, MONDAY, is_sure=False) for channel in ("a", "b", "c")]
        story.post(begun=begun)
        again = evolve(begun[2], kind="reminder", at=LATER)
        story.post(begun=[again])
        assert list(story.ledger.run_state().notices_begun) == [*begun[:2], again]
        assert not story.ledger.run_state().notices_sent
        taken = evolve(begun[0], is_sure=True)
        story.post(sent=[taken], withdrawn=[begun[1]])
        assert (story.ledger.run_state().notices_sent, story.ledger.run_state().notices_begun) == ([taken], [again])

    def test_a_channels_state_is_kept_by_its_address_until_it_is_plain(self, story: Story) -> None:
        """The last state of each address of a channel is kept, and a plain one is forgotten."""
        dead = ChannelState("webhook", "f1", dead_since=MONDAY, why="deleted")
        waits = ChannelState("webhook", "f2", not_before=LATER, why="slow down")
        for states in ([waits, evolve(dead, dead_since=LATER)], [dead]):
            story.post(channels=states)
        assert list(story.ledger.run_state().channels) == [dead, waits]
        story.post(channels=[ChannelState("webhook", "f1")])
        assert list(story.ledger.run_state().channels) == [waits]

    def test_of_many_equal_postings_one_is_written(self, story: Story) -> None:
        """Of equal postings made at once, one is written and the others are a `Conflict`: no one is paid twice."""
        ids = {f"m-{number:02}": str(10**17 + number) for number in range(10)}
        for member_id, discord_id in ids.items():
            story.enroll(member_id, discord_id)
        story.sync(dict.fromkeys(ids.values(), 0))
        story.at += timedelta(minutes=15)
        planned = story.planned(dict.fromkeys(ids.values(), 100))
        slow = evolve(planned, moves=_Slow(planned.moves))
        assert _successes(lambda: story.ledger.post(slow), Conflict) == 1
        assert {standing.points for standing in story.ledger.members()} == {1}

    def test_of_many_leases_one_is_granted(self, story: Story) -> None:
        """When eight threads ask for the lease of a task at once, one gets it."""
        assert _successes(partial(story.ledger.lease, "sync", MONDAY, LATER), LedgerBusy) == 1

    def test_readers_see_whole_postings(self, members: Story) -> None:
        """While one thread posts, others always read a balance and XP that match."""

        def post_and_read(number: int) -> None:
            for step in range(1, 21):
                if number == 0:
                    members.sync({ADA_ID: 1_000 + 150 * step})
                else:
                    standing = members.standing(ADA)
                    assert standing.discord is not None
                    assert standing.points == (standing.discord.xp_total - 1_000) // 100

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(post_and_read, range(THREADS)))
        assert members.account(ADA).xp_total == 4_000


class _Slow(tuple[Move, ...]):
    """Moves that let other threads run before each of them is read."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Move]:
        for move in super().__iter__():
            time.sleep(0.001)
            yield move


def _successes(action: Callable[[], object], failure: type[Exception]) -> int:
    """Run `action` in all threads at once; return how many did not raise `failure`."""
    barrier = Barrier(THREADS)

    def succeeds(_: int) -> bool:
        barrier.wait()
        try:
            action()
        except failure:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(succeeds, range(THREADS)))


def _fail(story: Story, board_id: str | None, wait: timedelta | None = None, *, counts: bool = True) -> None:
    failure = SyncFailure(
        story.at, "rate_limited", "slow down", counts, None if wait is None else story.at + wait, board_id
    )
    story.post(failure=failure)


AHEAD = timedelta(days=400)


class ClockContract(StoreContract):
    """Decisions about the clock are kept and count as seen; a repair takes back what lies ahead, and nothing else."""

    def test_a_confirmed_instant_counts_as_seen(self, audited: AuditedStory) -> None:
        """A confirmed instant is kept to the microsecond, with who, why and the last entry's position."""
        ledger, story = audited.ledger, audited
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        at = story.at + AHEAD + timedelta(microseconds=1)
        decision = ClockDecision("confirmed", at, "admin-7", "it was off")
        ledger.post(Posting(at, clock=decision))
        assert ledger.holdings().decisions == [evolve(decision, position=1)]
        assert ledger.run_state().sync.seen_at == at
        assert not ledger.ahead(at).others
        assert ledger.ahead(story.at).others == 1

    def test_a_repair_takes_back_what_lies_ahead(self, audited: AuditedStory) -> None:
        """Syncs, settled days, evidence, slots and notices that lie ahead are taken back; entries and XP stay."""
        ledger, story = audited.ledger, audited
        story.enroll(ADA, ADA_ID)
        for xp in (1_000, 1_100):
            story.sync({ADA_ID: xp})
        at, before = story.at, ledger.run_state().sync
        day = at.date()
        assert ledger.ahead(at).is_empty
        story.at += AHEAD
        story.sync({ADA_ID: 1_350})
        told: tuple[tuple[Topic, datetime], ...] = (("clock", story.at), ("source", at))
        ledger.post(Posting(story.at, settlement=Settlement(day, ledger.day_record(day).revision)))
        ledger.post(Posting(story.at, slot=SlotEnd(story.at, "synced", story.at)))
        notices = [SentNotice("log", topic, "alert", story.at, sent) for topic, sent in told]
        ledger.post(Posting(story.at, sent=notices))
        ahead, now = ledger.ahead(at), at + timedelta(minutes=5)
        account_id = story.account(ADA).account_id
        assert (ahead.syncs, ahead.days, ahead.others, ahead.good_at, [*ahead.rises]) == (1, 1, 1, at, [account_id])
        assert ahead.settled_through == ends_at(day).date() - timedelta(days=2)
        repair = ClockDecision("repaired", now, "admin-7", "it ran ahead")
        ledger.post(Posting(now, clock=repair, evidence=ahead.windows(now)))
        state = ledger.run_state()
        assert (state.sync.good_at, state.sync.good_run, state.sync.seen_at) == (before.good_at, before.good_run, now)
        assert (state.calendar.settled_through, state.slots) == (ahead.settled_through, [])
        assert [(one.topic, one.since, one.at) for one in state.notices_sent] == [("source", now, at)]
        assert {one.day for one in ledger.evidence(ADA, day, (at + AHEAD).date())} == {day}
        assert ledger.xp_read([account_id], day) == 1_350
        assert story.standing(ADA).points == 3
        assert ledger.ahead(now).is_empty
        story.at = now
        story.sync({ADA_ID: 1_450})
        assert story.standing(ADA).points == 4
        assert audit(ledger).is_healthy
