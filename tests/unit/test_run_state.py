"""What a store keeps about runs after each posting: the rules of every ledger (R18, R20-R22, R31)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve

from trc_engage.core.days import Calendar
from trc_engage.core.errors import Conflict, LedgerBusy
from trc_engage.core.incidents import ChannelState, FailureRun, SentNotice
from trc_engage.core.model import Decision, Link, Move
from trc_engage.core.posting import (
    Lease,
    Posting,
    RunState,
    SyncFailure,
    SyncRun,
    SyncState,
    booked,
    drafted,
    retry_on_conflict,
)
from trc_engage.core.records import ClockDecision
from trc_engage.core.reports import StreakChange, SyncReport
from trc_engage.core.roster import RosterState
from trc_engage.core.slots import SlotEnd, Wait

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
SOON, LATER, LATEST = (Wait("rate_limited", NOON + hours * HOUR) for hours in (1, 2, 3))
FAILED = FailureRun(2, NOON - HOUR, "down", "no answer")


@pytest.mark.parametrize(
    ("board_id", "wait"), [("a", LATER), ("b", LATEST), ("c", SOON), (None, LATEST)], ids=["a", "b", "c", "any"]
)
def test_a_wait_is_of_a_board_or_of_all(board_id: str | None, wait: Wait) -> None:
    """A wait without a board applies to every board; if the board is unknown, the longest wait counts."""
    state = SyncState(waits={"a": LATER, "b": LATEST, "": SOON}, board_id="a")
    assert (state.wait_of(board_id), state.wait) == (wait, LATER)


def test_a_good_sync_ends_failures_and_the_waits_of_its_board() -> None:
    """A good sync gets the next number, ends the failure run and its board's waits, and keeps those of other boards."""
    state = SyncState(good_run=4, failure_run=FAILED, waits={"a": SOON, "b": LATER, "": SOON}, last_run=6)
    run = SyncRun(SyncReport("synced", NOON, rows=9), whole=True, follows=4, board_id="a")
    after = state.after_run(run, NOON)
    assert after == SyncState(7, NOON, NOON, 9, NOON, None, "a", {"b": LATER}, 7)
    adopting = evolve(run, decision=Decision("adopt_board", "admin-7", "moved"))
    assert (state.after_run(adopting, NOON).waits, after.failures) == ({}, 0)
    assert state.after_run(evolve(run, whole=False), NOON).whole_at is None


@pytest.mark.parametrize(
    ("failure", "failures", "waits"),
    [
        (SyncFailure(NOON, "down", "no", counts=True, board_id="a"), 3, {"b": LATER}),
        (SyncFailure(NOON, "down", "no", counts=False, board_id="a"), 2, {"b": LATER}),
        (SyncFailure(NOON, "down", "no", counts=True, board_id=None), 3, {"a": SOON, "b": LATER}),
        (
            SyncFailure(NOON, "rate_limited", "wait", counts=True, retry_at=NOON + 3 * HOUR, board_id="a"),
            3,
            {"a": LATEST, "b": LATER},
        ),
    ],
)
def test_a_failure_takes_a_number_and_its_boards_last_word(
    failure: SyncFailure, failures: int, waits: dict[str, Wait]
) -> None:
    """A failure gets a number and replaces its board's wait; it lengthens the failure run if it counts (R20, R21)."""
    after = SyncState(good_run=4, failure_run=FAILED, waits={"a": SOON, "b": LATER}, last_run=6).after_failure(failure)
    assert (after.failures, after.waits, after.last_run, after.good_run) == (failures, waits, 7, 4)


def test_time_never_goes_back_behind_what_was_seen() -> None:
    """An instant before the latest one seen leaves that as it is (R22)."""
    state = SyncState().seen(NOON)
    assert [state.seen(at).seen_at for at in (NOON - HOUR, NOON + HOUR)] == [NOON, NOON + HOUR]


def test_the_latest_instant_known_may_be_a_slots() -> None:
    """The latest known instant is the later one of the last sync and the end of the last slot (R22)."""
    ended = SlotEnd(NOON, "waiting", NOON + SECOND)
    assert RunState().known_at is None
    assert RunState(SyncState(seen_at=NOON)).known_at == NOON
    assert RunState(SyncState(seen_at=NOON), slots=[ended]).known_at == NOON + SECOND
    assert RunState(SyncState(seen_at=NOON + HOUR), slots=[ended]).known_at == NOON + HOUR


@pytest.mark.parametrize(
    ("at", "is_free"),
    [
        (NOON - timedelta(minutes=2) - SECOND, True),
        (NOON - timedelta(minutes=2), False),
        (NOON, False),
        (NOON + timedelta(minutes=5) - SECOND, False),
        (NOON + timedelta(minutes=5), True),
    ],
)
def test_when_a_lease_may_be_taken_over(at: datetime, is_free: bool) -> None:
    """A lease is free once it has expired, or if it was taken more than two minutes ahead of now (R30)."""
    assert Lease("run", "me", NOON, NOON + timedelta(minutes=5)).is_free(at) is is_free


def test_a_draft_has_no_position_and_an_entry_says_when_it_was_booked() -> None:
    """A draft has no position, and an entry has a booking time only if it differs from when it happened."""
    draft = drafted("award", "m-1", "benchmark", 5, NOON.date(), NOON, "a")
    assert (draft.position, draft.silent, draft.booked_at) == (0, False, None)
    assert [booked(draft, 7, at).booked_at for at in (NOON, NOON + HOUR)] == [None, NOON + HOUR]
    assert booked(draft, 7, NOON).position == 7


def test_two_drafts_without_a_key_repeat_nothing() -> None:
    """Two drafts repeat each other if they have the same key or reverse the same award, not if they have no key."""
    draft = drafted("award", "m-1", "benchmark", 5, NOON.date(), NOON, "a")
    others = [evolve(draft, key=None, reverses=number, kind="reversal") for number in (1, 2)]
    assert not Posting(NOON, drafts=[draft, *others]).repeats
    assert Posting(NOON, drafts=[draft, draft]).repeats
    assert Posting(NOON, drafts=[others[0], others[0]]).repeats


def test_each_draft_must_have_its_position() -> None:
    """A ledger that returns fewer positions than there are drafts is caught, before a change names the wrong entry."""
    draft = drafted("award", "m-1", "benchmark", 5, NOON.date(), NOON, "a")
    change = StreakChange("m-1", 1, 2, 1, 2, "award", NOON.date())
    posting = Posting(NOON, drafts=[draft], changes=[change])
    assert posting.changes_posted([7]) == [evolve(change, at=NOON, entry=7)]
    with pytest.raises(ValueError, match="zip"):
        posting.changes_posted([])


RISES = {date(2026, 3, 3): 5, date(2026, 3, 4): 0}


@pytest.mark.parametrize(
    ("rises", "is_current"),
    [(RISES, True), ({}, False), ({date(2026, 3, 3): 5}, False), ({date(2026, 3, 4): 0}, False)],
)
def test_both_days_that_matter_must_be_counted(rises: dict[date, int], is_current: bool) -> None:
    """The counts of rises are current if they have the next day to settle and the required day before it (R15a)."""
    assert RunState(calendar=Calendar(date(2026, 3, 3)), rises=rises).is_current is is_current


@pytest.mark.parametrize(("xp", "since"), [([0, 0], NOON), ([0, 7], None), ([7, 7], None), ([], NOON)])
def test_whoever_is_on_the_board_ends_that_nobody_is(xp: list[int], since: datetime | None) -> None:
    """One account with XP ends the time in which none was seen; otherwise it goes on (R31)."""
    accounts = [Link(f"m-{number}", str(number)).opened(number) for number in range(1, len(xp) + 1)]
    moves = [
        Move(account, "tracked", "continues", 0, xp_total=total, xp_high=total)
        for account, total in zip(accounts, xp, strict=True)
    ]
    run = SyncRun(SyncReport("synced", NOON), whole=True, follows=0)
    after = RunState(unseen_since=NOON).after(Posting(NOON + DAY, moves=moves, run=run))
    assert after.unseen_since == since


REPAIR = Posting(NOON, clock=ClockDecision("repaired", NOON, "admin-7", "two years ahead"))


def slot(begins_at: datetime, ended_at: datetime) -> SlotEnd:
    """Return a slot that was synced."""
    return SlotEnd(begins_at, "synced", ended_at)


def notice(at: datetime, since: datetime) -> SentNotice:
    """Return an alert that the log was sent."""
    return SentNotice("log", "source", "alert", since, at)


def test_a_repair_leaves_nothing_of_a_time_to_come() -> None:
    """A clock repair drops what lies after its instant, keeps what lies at it, and ends all failure runs (R22)."""
    sync = SyncState(
        failure_run=FAILED,
        seen_at=NOON + DAY,
        waits={"a": Wait("down", NOON + HOUR), "b": Wait("down", NOON + HOUR + SECOND)},
    )
    slots = [slot(NOON - HOUR, NOON - HOUR), slot(NOON, NOON), slot(NOON, NOON + SECOND), slot(NOON + HOUR, NOON)]
    after = RunState(sync, slots=slots, roster=RosterState(FAILED)).after(REPAIR)
    assert (after.sync.failure_run, after.roster.failure_run, after.sync.seen_at) == (None, None, NOON)
    assert after.sync.waits == {"a": Wait("down", NOON + HOUR)}
    assert after.slots == slots[:2]


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (notice(NOON, NOON - HOUR), notice(NOON, NOON - HOUR)),
        (notice(NOON, NOON + HOUR), notice(NOON, NOON)),
        (notice(NOON + SECOND, NOON - HOUR), None),
    ],
)
def test_a_repair_keeps_notices_up_to_its_instant(before: SentNotice, kept: SentNotice | None) -> None:
    """A clock repair keeps the notices sent or begun by its instant, and drops later ones."""
    after = RunState(notices_sent=[before], notices_begun=[before]).after(REPAIR)
    assert [after.notices_sent, after.notices_begun] == [[kept] if kept else []] * 2


@pytest.mark.parametrize(
    ("dead_since", "not_before", "is_kept"),
    [
        (NOON, None, True),
        (NOON + SECOND, None, False),
        (None, NOON, True),
        (None, NOON + SECOND, False),
        (NOON - HOUR, NOON + SECOND, False),
        (NOON + SECOND, NOON - HOUR, False),
    ],
)
def test_a_repair_tries_channels_again(dead_since: datetime | None, not_before: datetime | None, is_kept: bool) -> None:
    """A clock repair forgets channels that were found dead, or asked for a wait, after its instant."""
    state = ChannelState("webhook", "f", dead_since, not_before)
    assert bool(RunState(channels=[state]).after(REPAIR).channels) is is_kept


def test_a_confirmed_clock_takes_nothing_back() -> None:
    """Confirming a clock only says up to when time is known, and takes nothing back (R22)."""
    confirmed = evolve(REPAIR, clock=ClockDecision("confirmed", NOON, "admin-7", "it is right"))
    before = RunState(SyncState(failure_run=FAILED), slots=[slot(NOON + HOUR, NOON + HOUR)])
    after = before.after(confirmed)
    assert (after.sync.seen_at, after.sync.failure_run, after.slots) == (NOON, FAILED, before.slots)


def test_what_never_fits_ends_as_busy_and_says_why() -> None:
    """After eight conflicts, the error is `LedgerBusy` with the conflict as its cause; an eighth try may succeed."""
    tries: list[int] = []

    def attempt(fits_at: int) -> int:
        tries.append(fits_at)
        if len(tries) < fits_at:
            raise Conflict
        return len(tries)

    assert retry_on_conflict(lambda: attempt(8)) == 8
    tries.clear()
    with pytest.raises(LedgerBusy, match="8 times in a row; nothing was written: try again") as caught:
        retry_on_conflict(lambda: attempt(9))
    assert (len(tries), type(caught.value.__cause__)) == (8, Conflict)
