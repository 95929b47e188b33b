"""What a ledger promises of the run book, and of threads that share it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import TypeVar

import pytest
from attrs import evolve

from ...core.errors import Conflict, LeaseLost, LedgerBusy, RosterError
from ...core.incidents import ChannelState, FailureRun, SentNotice
from ...core.model import Move
from ...core.posting import Posting, SyncFailure, SyncState
from ...core.records import Check
from ...core.roster import Contradiction, Round
from ...core.slots import SlotEnd, Wait
from .story import ADA, ADA_ID, BO, BO_ID, MONDAY, StoreContract, Story

LATER = MONDAY + timedelta(minutes=5)


class RunBookContract(StoreContract):
    """What the store remembers of runs, waits and leases (R19-R21)."""

    def test_an_empty_store_has_no_past(self, story: Story) -> None:
        """Before the first sync nothing is remembered."""
        assert story.ledger.run_state().sync == SyncState()

    def test_a_good_sync_is_remembered(self, story: Story) -> None:
        """The last good sync tells when it read, and how long a board it read to the end."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        state = story.ledger.run_state().sync
        assert (state.good_at, state.whole_at, state.whole_rows) == (story.at, story.at, 1)
        assert state.good_run > 0

    def test_a_sync_that_stopped_early_does_not_tell_the_length(self, story: Story) -> None:
        """The last board read to its end is remembered past later ones that were not."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        whole_at = story.at
        story.sync({ADA_ID: 6}, whole=False)
        state = story.ledger.run_state().sync
        assert (state.good_at, state.whole_at, state.whole_rows) == (story.at, whole_at, 1)

    def test_what_rosters_told_is_kept(self, story: Story) -> None:
        """To the microsecond, the last of each account, for as long as it is linked; and where notes contradict it."""
        story.enroll(ADA, ADA_ID)
        story.enroll(BO, BO_ID)
        ada, bo = story.account(ADA), story.account(BO)
        at = [MONDAY + timedelta(microseconds=number) for number in range(6)]
        first = Check(ada.account_id, "1", at[0])
        told = evolve(first, guild_id="2", present_at=at[1], joined_at=at[2], gone_at=at[3], confirmed_at=at[4])
        other = Check(bo.account_id, "2", at[5], contradicts=True)
        for checks in ([first], [told, other]):
            story.ledger.post(Posting(MONDAY, round=Round(MONDAY, LATER, checks)))
        assert story.ledger.checks() == [told, other]
        assert [story.ledger.checks(who) for who in (ADA, BO, "nobody")] == [[told], [other], []]
        state = story.ledger.run_state().roster
        assert (state.failure_run, state.next_at) == (None, LATER)
        assert list(state.contradictions) == [Contradiction(BO, is_left=False)]
        story.restate(BO, "unlinked")
        assert story.ledger.checks() == [told]
        assert not story.ledger.run_state().roster.contradictions

    def test_rounds_that_fail_are_counted_apart_from_syncs(self, story: Story) -> None:
        """Until one was clear, also those that a decision must end; none of them says anything of syncs."""
        assert not story.ledger.run_state().roster.is_known
        down, distrusted = RosterError("down", "no answer"), RosterError("distrusted", "all left")
        for at, error in ((MONDAY, down), (LATER, distrusted)):
            story.ledger.post(Posting(at, round=Round(at, at, error=error)))
        urgent = FailureRun(1, LATER, "distrusted", "all left")
        failure_run = FailureRun(2, MONDAY, "distrusted", "all left", urgent)
        state = story.ledger.run_state()
        assert (state.roster.failure_run, state.roster.next_at, state.sync) == (failure_run, LATER, SyncState())
        story.ledger.post(Posting(LATER, round=Round(LATER, LATER)))
        assert story.ledger.run_state().roster.failure_run == failure_run
        story.ledger.post(Posting(LATER, round=Round(LATER, LATER, is_clear=True)))
        assert story.ledger.run_state().roster.failure_run is None

    def test_it_is_kept_when_xp_rose_as_activity(self, story: Story) -> None:
        """The opening of the last such window: a fall, or nothing, leaves it."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        assert story.account(ADA).rose_at is None
        opened_at = story.at
        story.sync({ADA_ID: 25})
        assert story.account(ADA).rose_at == opened_at
        story.sync({ADA_ID: 20})
        story.sync({ADA_ID: 25})
        assert story.account(ADA).rose_at == opened_at

    def test_failures_in_a_row_are_counted_until_a_good_sync(self, story: Story) -> None:
        """Only failures that count are counted, and a good sync ends the row."""
        story.enroll(ADA, ADA_ID)
        first, second = (
            SyncFailure(MONDAY, "down", "no answer", counts=True),
            SyncFailure(LATER, "blocked", "no", counts=True),
        )
        dry = SyncFailure(MONDAY, "private", "closed", counts=False)
        for failure in (first, dry, second):
            story.ledger.post(Posting(failure.at, failure=failure))
        failure_run = FailureRun(2, MONDAY, "blocked", "no")
        assert story.ledger.run_state().sync.failure_run == failure_run
        story.sync({ADA_ID: 5})
        assert story.ledger.run_state().sync.failure_run is None
        story.ledger.post(Posting(LATER, failure=second))
        assert story.ledger.run_state().sync.failure_run == FailureRun(1, LATER, "blocked", "no")

    def test_a_wait_is_kept_until_the_next_run(self, story: Story) -> None:
        """What the server asked for is remembered, also after a dry run, until a later run replaces it."""
        until = story.at + timedelta(seconds=90)
        failure = SyncFailure(story.at, "rate_limited", "slow down", counts=False, retry_at=until)
        story.ledger.post(Posting(story.at, failure=failure))
        assert story.ledger.run_state().sync.wait == Wait("rate_limited", until)
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        assert story.ledger.run_state().sync.wait is None

    def test_a_lease_keeps_others_out(self, story: Story) -> None:
        """A task that is leased cannot be leased again; another task can."""
        story.ledger.lease("sync", MONDAY, LATER)
        with pytest.raises(LedgerBusy, match="sync"):
            story.ledger.lease("sync", MONDAY + timedelta(seconds=1), LATER)
        story.ledger.lease("other", MONDAY, LATER)

    def test_clocks_that_differ_a_little_share_no_lease(self, story: Story) -> None:
        """Whoever is a moment behind the holder's clock is kept out too."""
        story.ledger.lease("sync", MONDAY + timedelta(seconds=1), LATER)
        with pytest.raises(LedgerBusy):
            story.ledger.lease("sync", MONDAY, LATER)

    def test_a_released_lease_is_free(self, story: Story) -> None:
        """Releasing twice is harmless."""
        lease = story.ledger.lease("sync", MONDAY, LATER)
        story.ledger.release(lease)
        story.ledger.release(lease)
        story.ledger.lease("sync", MONDAY, LATER)

    def test_an_expired_lease_is_taken_over(self, story: Story) -> None:
        """At its expiry a lease is free, and its old holder can no longer release it."""
        old = story.ledger.lease("sync", MONDAY, LATER)
        story.ledger.lease("sync", LATER, LATER + timedelta(minutes=5))
        story.ledger.release(old)
        with pytest.raises(LedgerBusy):
            story.ledger.lease("sync", LATER, LATER + timedelta(minutes=5))

    def test_a_lease_from_the_future_keeps_nobody_out(self, story: Story) -> None:
        """A lease taken under a clock that ran a year ahead does not hold everything up for a year."""
        ahead = MONDAY + timedelta(days=365)
        story.ledger.lease("sync", ahead, ahead + timedelta(minutes=5))
        story.ledger.lease("sync", MONDAY, LATER)

    def test_a_lease_can_be_held_for_longer(self, story: Story) -> None:
        """Renewed, it keeps others out past its first expiry; everyone can see who has it."""
        lease = story.ledger.lease("run", MONDAY, LATER)
        until = LATER + timedelta(minutes=5)
        story.ledger.renew(lease, until)
        assert story.ledger.run_state().lease_of("run") == evolve(lease, until=until)
        with pytest.raises(LedgerBusy):
            story.ledger.lease("run", LATER, LATER + timedelta(minutes=5))
        story.ledger.release(lease)
        assert story.ledger.run_state().lease_of("run") is None

    def test_a_lease_that_was_lost_is_noticed(self, story: Story) -> None:
        """Once somebody else took over, the old holder can neither renew it nor write under it."""
        old = story.ledger.lease("run", MONDAY, LATER)
        story.ledger.lease("run", LATER, LATER + timedelta(minutes=5))
        with pytest.raises(LeaseLost):
            story.ledger.renew(old, LATER + timedelta(minutes=9))
        with pytest.raises(LeaseLost):
            story.ledger.post(Posting(LATER, failure=SyncFailure(LATER, "down", "no", counts=True), lease=old))
        assert story.ledger.run_state().sync.failure_run is None

    def test_a_lease_says_whether_the_one_before_was_never_given_back(self, story: Story) -> None:
        """Whoever takes over does not know what the other was just at."""
        first = story.ledger.lease("run", MONDAY, LATER)
        second = story.ledger.lease("run", LATER, LATER + timedelta(minutes=5))
        story.ledger.release(second)
        third = story.ledger.lease("run", LATER, LATER + timedelta(minutes=5))
        assert [first.took_over, second.took_over, third.took_over] == [False, True, False]

    def test_when_the_next_request_may_go_out_is_remembered_for_all(self, story: Story) -> None:
        """Of each task by itself, the last that was said, earlier or later."""
        assert story.ledger.next_request_at("run") is None
        for at in (LATER, MONDAY):
            story.ledger.keep_request("run", at)
            assert story.ledger.next_request_at("run") == at
        assert story.ledger.next_request_at("other") is None

    def test_what_is_written_under_a_lease_is_written(self, story: Story) -> None:
        """A holder may write, also past the expiry, as long as nobody took over."""
        lease = story.ledger.lease("run", MONDAY, LATER)
        end = SlotEnd(MONDAY, "synced", LATER)
        story.ledger.post(Posting(LATER + timedelta(hours=1), slot=end, lease=lease))
        assert story.ledger.run_state(MONDAY).slot_end(MONDAY) == end

    def test_a_slot_ends_once(self, story: Story) -> None:
        """Who comes second changes nothing, neither the slot nor what was posted with it."""
        first = SlotEnd(MONDAY, "failed", MONDAY)
        assert story.ledger.run_state(MONDAY).slot_end(MONDAY) is None
        assert story.ledger.run_state().last_slot is None
        story.ledger.post(Posting(MONDAY, slot=first))
        failure = SyncFailure(LATER, "down", "no answer", counts=True)
        with pytest.raises(LeaseLost):
            story.ledger.post(Posting(LATER, failure=failure, slot=SlotEnd(MONDAY, "synced", LATER)))
        assert story.ledger.run_state(MONDAY).slot_end(MONDAY) == first
        assert story.ledger.run_state().sync.failure_run is None
        earlier = SlotEnd(MONDAY - timedelta(minutes=15), "waiting", LATER)
        story.ledger.post(Posting(LATER, slot=earlier))
        assert story.ledger.run_state().last_slot == first

    def test_the_last_notice_of_each_topic_is_remembered(self, story: Story) -> None:
        """Each channel is remembered by itself."""
        alert = SentNotice("webhook", "source", "alert", MONDAY, MONDAY)
        other = SentNotice("sentry", "source", "alert", MONDAY, LATER)
        clear = SentNotice("webhook", "source", "all_clear", MONDAY, LATER)
        frozen = SentNotice("webhook", "frozen", "alert", MONDAY, LATER)
        for told in (alert, other, clear, frozen):
            story.ledger.post(Posting(told.at, sent=[told]))
        assert list(story.ledger.run_state().notices_sent) == [other, frozen, clear]

    def test_a_notice_is_begun_until_it_is_known_what_became_of_it(self, story: Story) -> None:
        """It ends when the channel took it, and when it is withdrawn; neither touches other topics or channels."""
        begun = [SentNotice(channel, "source", "alert", MONDAY, MONDAY, is_sure=False) for channel in ("a", "b", "c")]
        story.ledger.post(Posting(MONDAY, begun=begun))
        again = evolve(begun[2], kind="reminder", at=LATER)
        story.ledger.post(Posting(LATER, begun=[again]))
        assert list(story.ledger.run_state().notices_begun) == [*begun[:2], again]
        assert not story.ledger.run_state().notices_sent
        taken = evolve(begun[0], is_sure=True)
        story.ledger.post(Posting(LATER, sent=[taken], withdrawn=[begun[1]]))
        assert (story.ledger.run_state().notices_sent, story.ledger.run_state().notices_begun) == ([taken], [again])

    def test_under_a_lost_lease_no_notice_is_begun(self, story: Story) -> None:
        """Another that took over tells it."""
        old = story.ledger.lease("run", MONDAY, LATER)
        story.ledger.lease("run", LATER, LATER + timedelta(minutes=5))
        begun = SentNotice("a", "source", "alert", MONDAY, LATER, is_sure=False)
        with pytest.raises(LeaseLost):
            story.ledger.post(Posting(LATER, begun=[begun], channels=[ChannelState("a", "f", MONDAY)], lease=old))
        assert not story.ledger.run_state().notices_begun
        assert not story.ledger.run_state().channels

    def test_a_channels_state_is_kept_by_its_address_until_it_is_plain(self, story: Story) -> None:
        """The last state of each address stands, and a plain one is forgotten."""
        dead = ChannelState("webhook", "f1", dead_since=MONDAY, why="deleted")
        waits = ChannelState("webhook", "f2", not_before=LATER, why="slow down")
        story.ledger.post(Posting(MONDAY, channels=[waits, evolve(dead, dead_since=LATER)]))
        story.ledger.post(Posting(LATER, channels=[dead]))
        assert list(story.ledger.run_state().channels) == [dead, waits]
        story.ledger.post(Posting(LATER, channels=[ChannelState("webhook", "f1")]))
        assert list(story.ledger.run_state().channels) == [waits]


THREADS = 8
CROWD = 10
Result = TypeVar("Result")


class ThreadsContract(StoreContract):
    """What holds when many do the same thing at the same instant."""

    def test_of_many_equal_postings_one_is_written(self, story: Story) -> None:
        """Eight threads post what they planned on the same state: one wins, seven are `Conflict`."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 0})
        story.at += timedelta(minutes=15)
        planned = story.planned({ADA_ID: 1_000})
        assert sorted(_at_once(lambda: _posted(story, planned))) == [False] * (THREADS - 1) + [True]
        assert story.account(ADA).xp_total == 1_000
        standing = story.standing(ADA)
        assert standing.points == 10

    def test_of_many_slow_postings_one_is_written(self, story: Story) -> None:
        """Though all are in the middle of theirs at once: the others are `Conflict`, and nobody is paid twice."""
        ids = {f"m-{number:02}": str(10**17 + number) for number in range(CROWD)}
        for member_id, discord_id in ids.items():
            story.enroll(member_id, discord_id)
        story.sync(dict.fromkeys(ids.values(), 0))
        story.at += timedelta(minutes=15)
        planned = story.planned(dict.fromkeys(ids.values(), 100))
        planned = evolve(planned, moves=_Slow(planned.moves))
        assert sorted(_at_once(partial(_posted, story, planned))) == [False] * (THREADS - 1) + [True]
        assert {standing.points for standing in story.ledger.members()} == {1}

    def test_of_many_leases_one_is_granted(self, story: Story) -> None:
        """Eight threads ask for the lease of the same task: one gets it."""

        def leased() -> bool:
            try:
                story.ledger.lease("sync", MONDAY, MONDAY + timedelta(minutes=5))
            except LedgerBusy:
                return False
            return True

        assert sorted(_at_once(leased)) == [False] * (THREADS - 1) + [True]

    def test_readers_see_whole_postings(self, story: Story) -> None:
        """While one thread posts, others always find balance and entries in step."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 0})

        def post_and_read(number: int) -> None:
            if number == 0:
                for step in range(1, 21):
                    story.sync({ADA_ID: 150 * step})
                return
            for _ in range(20):
                standing = story.standing(ADA)
                assert standing.discord is not None
                assert standing.points == standing.discord.xp_total // 100

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(post_and_read, range(THREADS)))
        assert story.account(ADA).xp_total == 3_000


class _Slow(tuple[Move, ...]):
    """Moves that let other threads go on before each of them is read."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Move]:
        for move in super().__iter__():
            time.sleep(0.001)
            yield move


def _posted(story: Story, planned: Posting) -> bool:
    try:
        story.ledger.post(planned)
    except Conflict:
        return False
    return True


def _at_once(action: Callable[[], Result]) -> list[Result]:
    barrier = Barrier(THREADS)

    def run(_: int) -> Result:
        barrier.wait()
        return action()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))
