"""A run does what is due, and each thing once, whatever process calls it (R15, R18, R21)."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from support.community import LEDGERS, MONDAY, QUARTER, Community, opened
from trc_engage import ClockWentBack, Engage, LedgerBusy, ReadStopped, RunReport, SourceError
from trc_engage.core.errors import ClockError, KeptAway
from trc_engage.core.incidents import SentNotice
from trc_engage.core.posting import Posting
from trc_engage.core.roster import Presence, Round
from trc_engage.usecases.leases import TASK

DOWN = SourceError("down", "MEE6 did not answer in time")


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community of two linked members on the board, before anything has run, on each ledger."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.xp = {"ada": 1_000, "bo": 1_000}
        yield community


def test_a_slot_is_synced_once(community: Community) -> None:
    """A slot is synced once, and later runs in the same quarter of an hour have nothing to do."""
    first = community.run()
    later = [community.run(timedelta(minutes=minutes)) for minutes in (0, 1, 13)]
    assert (first.outcome, first.slot) == ("synced", MONDAY + QUARTER)
    assert [report.outcome for report in later] == ["nothing"] * 3
    assert len(community.sought) == 1
    assert community.run(timedelta(minutes=1)).outcome == "synced"


def test_missed_slots_are_not_made_up(community: Community) -> None:
    """After a day without runs, one reading holds everything, and no missed slot is made up."""
    community.run()
    community.chat("ada", 500)
    report = community.run(timedelta(days=1))
    assert (report.outcome, len(community.sought), community.points("ada")) == ("synced", 2, 5)
    assert community.run(timedelta(0)).outcome == "nothing"


def test_a_failed_slot_is_not_tried_again(community: Community) -> None:
    """A slot that failed is not tried again; the next slot syncs."""
    community.trouble = DOWN
    assert community.run().outcome == "failed"
    community.trouble = None
    assert community.run(timedelta(minutes=10)).outcome == "nothing"
    assert community.run(timedelta(minutes=5)).outcome == "synced"


def test_a_slot_that_waits_requests_nothing(community: Community) -> None:
    """While the source has asked for a wait, a slot ends as waiting, sends no request and is no failure (R20, R21)."""
    community.trouble = SourceError("rate_limited", "slow down", retry_after=timedelta(minutes=40))
    outcomes = [community.run().outcome for _ in range(4)]
    community.trouble = None
    outcomes.append(community.run().outcome)
    assert outcomes == ["failed", "waiting", "waiting", "failed", "waiting"]
    assert len(community.sought) == 2
    assert community.ledger.run_state().sync.failures == 2


def test_a_slot_takes_no_reading_from_before_it(community: Community) -> None:
    """A sync by hand answers for the slot in which it read, but not for the one after it (R21)."""
    community.now += timedelta(minutes=14)
    community.engage.sync()
    assert community.run(timedelta(minutes=1)).outcome == "synced"
    assert len(community.sought) == 2
    community.now += timedelta(minutes=15)
    community.engage.sync()
    report = community.run(timedelta(minutes=4))
    assert (report.outcome, report.sync and report.sync.outcome, len(community.sought)) == ("synced", "cached", 3)
    assert community.run(timedelta(minutes=6)).outcome == "nothing"


def test_with_nobody_linked_a_slot_ends_without_a_request(community: Community) -> None:
    """If no account is linked, a slot ends as synced and sends no request."""
    community.engage.unlink("ada")
    community.engage.unlink("bo")
    assert community.run().outcome == "synced"
    assert (community.sought, community.run(timedelta(minutes=1)).outcome) == ([], "nothing")


def test_the_day_is_settled_from_five_past_midnight_on(community: Community) -> None:
    """A day is settled from 00:05 on, after the slot's sync, and not at 00:00, although it is over by then (R15)."""
    community.run()
    community.chat("ada", 500)
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    at_midnight = community.engage.run_due()
    five_past = community.run(timedelta(minutes=5))
    assert (at_midnight.outcome, at_midnight.settled) == ("synced", ())
    assert (five_past.outcome, five_past.settled) == ("nothing", (date(2026, 3, 2),))
    assert community.run(timedelta(minutes=1)).settled == ()


def test_a_pending_day_is_settled_as_soon_as_it_can_be(community: Community) -> None:
    """A pending day is settled by the same run whose sync makes that possible."""
    community.run()
    community.trouble = DOWN
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    assert [one.cause for one in community.run(timedelta(minutes=5)).pending] == ["no_sync"]
    community.trouble = None
    report = community.run(timedelta(hours=12))
    assert (report.outcome, report.settled, report.pending) == ("synced", (date(2026, 3, 2),), ())


def test_of_two_at_the_same_instant_one_works(community: Community) -> None:
    """A run that starts while another one reads is busy, reads nothing and leaves the slot to the other."""
    reports: list[RunReport] = []

    class Meanwhile:
        def read(self, sought: frozenset[str], /) -> object:
            reports.append(Engage(ledger=community.ledger, source=community, clock=lambda: community.now).run_due())
            return community.read(sought)

    both = Engage(ledger=community.ledger, source=Meanwhile(), clock=lambda: community.now)  # type: ignore[arg-type]
    reports.append(both.run_due())
    assert [report.outcome for report in reports] == ["busy", "synced"]
    assert len(community.sought) == 1


def test_a_run_that_lost_its_lease_writes_nothing(community: Community) -> None:
    """A run that was stopped for longer than its lease writes nothing, because another one has ended the slot (R18)."""
    community.run()
    reports: list[RunReport] = []

    class Asleep:
        def read(self, sought: frozenset[str], /) -> object:
            board = community.read(sought)
            community.now += timedelta(minutes=31)
            community.chat("ada", 1_000)
            reports.append(community.engage.run_due())
            return board

    community.now += QUARTER
    reports.append(Engage(ledger=community.ledger, source=Asleep(), clock=lambda: community.now).run_due())  # type: ignore[arg-type]
    assert [report.outcome for report in reports] == ["synced", "busy"]
    assert community.points("ada") == 10


def test_a_read_that_was_stopped_leaves_the_slot_open(community: Community) -> None:
    """A read that was stopped counts as no failure, and the next run takes the slot (R18, R20)."""
    community.trouble = ReadStopped()
    assert community.run().outcome == "stopped"
    community.trouble = None
    assert community.ledger.run_state().sync.failures == 0
    assert community.run(timedelta(seconds=5)).outcome == "synced"


def test_nothing_is_settled_by_a_clock_in_doubt(community: Community) -> None:
    """A run whose clock the board's server denies settles nothing, so a later run with a right clock can (R22)."""
    community.run()
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    community.run(timedelta(0))
    community.server_at = community.now
    ahead = community.run(timedelta(days=400))
    assert (ahead.outcome, ahead.settled) == ("failed", ())
    community.server_at = None
    back = community.run(timedelta(days=-400, minutes=15))
    assert (back.outcome, back.settled) == ("synced", (date(2026, 3, 2),))


def test_without_a_source_slots_are_left_to_others(community: Community) -> None:
    """A run without a source settles what can be settled, and neither reads nor ends a slot."""
    community.run()
    worker = Engage(ledger=community.ledger, clock=lambda: community.now)
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    community.engage.run_due()
    community.now += timedelta(minutes=16)
    report = worker.run_due()
    assert (report.outcome, report.slot, report.settled) == ("nothing", None, (date(2026, 3, 2),))
    assert community.engage.run_due().outcome == "synced"


def test_the_status_tells_what_stands_open(community: Community) -> None:
    """A store is healthy while slots end, but not before the first run, nor without runs, nor while a trouble lasts."""
    assert not community.engage.status().is_healthy
    community.run()
    status = community.engage.status()
    assert (status.is_healthy, status.good_at, status.next_sync_at) == (True, community.now, community.now + QUARTER)
    assert status.next_settlement_at == datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
    assert (status.lease, status.tally.members, status.tally.accounts) == (None, 2, {"tracked": 2})
    community.now += timedelta(hours=1)
    assert not community.engage.status().is_attended
    community.trouble = DOWN
    for _ in range(3):
        community.run()
    status = community.engage.status()
    assert (status.is_attended, status.is_healthy) == (True, False)
    assert [trouble.topic for trouble in status.troubles] == ["source"]


def by_a_busy_store(community: Community) -> None:
    """Let another process have the lease."""
    community.ledger.lease(TASK, community.now + QUARTER, community.now + 2 * QUARTER)


def by_a_stop(community: Community) -> None:
    """Let the read be stopped."""
    community.trouble = ReadStopped()


def by_the_servers_clock(community: Community) -> None:
    """Let the board's server tell a time six minutes off."""
    community.server_at = community.now + QUARTER + timedelta(minutes=6)


def by_a_clock_that_went_back(community: Community) -> None:
    """Set the machine's clock back."""
    community.now -= timedelta(hours=1)


def by_nothing(_: Community) -> None:
    """Leave all as it is."""


def by_an_outage(community: Community) -> None:
    """Let the board be down, which says nothing about the roster."""
    community.trouble = DOWN


@pytest.mark.parametrize(
    ("kept", "outcome", "error", "asks"),
    [
        (by_nothing, "synced", None, True),
        (by_an_outage, "failed", SourceError, True),
        (by_a_busy_store, "busy", LedgerBusy, False),
        (by_a_stop, "stopped", None, False),
        (by_the_servers_clock, "failed", SourceError, False),
        (by_a_clock_that_went_back, "failed", ClockError, False),
    ],
)
def test_the_roster_is_asked_last_and_only_where_time_and_store_are_right(
    community: Community, kept: Callable[[Community], None], outcome: str, error: type | None, *, asks: bool
) -> None:
    """A run that is busy, stopped or has a clock in doubt asks no roster, and its report says why (R25)."""
    asked: list[str] = []

    class Counting:
        guild_id = "1"

        def ask(self, discord_id: str, /) -> Presence:
            asked.append(discord_id)
            return Presence("present")

    roster = Counting()
    engage = Engage(ledger=community.ledger, source=community, roster=roster, clock=lambda: community.now)
    community.run()
    kept(community)
    community.now += QUARTER
    report = engage.run_due()
    assert report.outcome == outcome
    assert isinstance(report.error, error or type(None))
    assert (bool(asked), report.roster is not None) == (asks, asks)


def test_how_a_slot_ended_is_told_and_kept(community: Community) -> None:
    """The report and the store both have the outcome of a slot, and the report has its error."""
    community.trouble = SourceError("rate_limited", "slow down", timedelta(minutes=20))
    told, kept = [], []
    for _ in range(2):
        report = community.run()
        told.append((report.outcome, report.slot == community.now, type(report.error)))
        end = community.ledger.run_state().last_slot
        assert end is not None
        kept.append((end.outcome, end.slot == community.now))
    assert told == [("failed", True, SourceError), ("waiting", True, KeptAway)]
    assert kept == [("failed", True), ("waiting", True)]


def test_a_run_that_was_stopped_does_nothing_more(community: Community) -> None:
    """A run that was stopped does not even settle a day that could be settled."""
    community.run()
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    community.run(timedelta(0))
    community.trouble = ReadStopped()
    stopped = community.run()
    assert (stopped.outcome, stopped.settled) == ("stopped", ())
    community.trouble = None
    assert community.run().settled == (date(2026, 3, 2),)


def test_a_run_by_a_wrong_clock_settles_nothing(community: Community) -> None:
    """A run whose clock is seven minutes off settles nothing, even if an earlier sync has read past the day (R22)."""
    community.run()
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    community.run(timedelta(0))
    community.server_at = community.now + timedelta(minutes=8)
    assert (community.run().outcome, community.ledger.calendar().settled_through) == ("failed", date(2026, 3, 1))
    community.server_at = None
    assert community.run().settled == (date(2026, 3, 2),)


def test_without_a_source_a_clock_that_went_back_is_told(community: Community) -> None:
    """A run without a source reports a clock that went back; with a source, the source's error comes first."""
    community.run()
    community.now -= timedelta(hours=1)
    report = Engage(ledger=community.ledger, clock=lambda: community.now).run_due()
    assert (report.outcome, type(report.error)) == ("failed", ClockWentBack)
    community.trouble = DOWN
    leapt = community.run(timedelta(days=8))
    assert (leapt.outcome, type(leapt.error)) == ("failed", SourceError)


def test_what_waits_is_told_though_nothing_is_due(community: Community) -> None:
    """A run that has nothing to do still reports the days that wait, and why."""
    community.run()
    community.trouble = DOWN
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    community.run(timedelta(minutes=5))
    report = community.run(timedelta(minutes=1))
    assert (report.outcome, [one.cause for one in report.pending]) == ("nothing", ["no_sync"])


def test_a_store_that_is_held_behind_the_sync_takes_nothing_from_its_report(community: Community) -> None:
    """If the store is busy after the sync, the report still has the sync, and the next run settles the day."""
    community.run()
    community.now = datetime(2026, 3, 3, tzinfo=UTC)

    def held(_day: date, /) -> NoReturn:
        raise LedgerBusy("locked")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(community.ledger, "day_record", held)
        report = community.run(timedelta(minutes=5))
    assert (report.outcome, report.error, report.settled) == ("synced", None, ())
    assert community.run(timedelta(minutes=1)).settled == (date(2026, 3, 2),)


class Log:
    """A channel that is configured but must not be used."""

    channel = "log"
    fingerprint = ""

    def send(self, notice: object, /) -> None:
        """Fail, because nothing is to be sent."""
        raise AssertionError(notice)


@pytest.mark.parametrize("order", [1, -1])
def test_the_status_names_the_last_notice_that_a_channel_took(order: int) -> None:
    """The status has a channel's latest notice of all topics, in whatever order they were kept."""
    community = Community()
    times = {
        "clock": MONDAY,
        "roster": MONDAY + order * timedelta(seconds=1),
        "source": MONDAY - 2 * timedelta(seconds=1),
    }
    sent = [SentNotice("log", topic, "all_clear", MONDAY, at) for topic, at in times.items()]  # type: ignore[arg-type]
    other = SentNotice("webhook", "store", "all_clear", MONDAY, MONDAY + 9 * timedelta(seconds=1))
    community.ledger.post(Posting(MONDAY, sent=[*sent, other]))
    (last,) = Engage(ledger=community.ledger, clock=lambda: MONDAY, alerts=[Log()]).status().last_sent
    latest = max(times, key=lambda topic: times[topic])
    assert (last.channel, last.topic, last.sent_at) == ("log", latest, times[latest])


def test_the_status_tells_of_the_roster() -> None:
    """The status says when the next round of the roster may begin."""
    community = Community()
    next_at = community.now + timedelta(minutes=5)
    community.ledger.post(Posting(community.now, round=Round(community.now, next_at)))
    assert community.engage.status().roster.next_at == next_at
