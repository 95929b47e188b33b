"""What is due is done once, whoever calls (R15, R18, R21)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from support.community import LEDGERS, MONDAY, QUARTER, Community, opened
from trc_engage import Engage, ReadStopped, RunReport, SourceError

DOWN = SourceError("down", "MEE6 did not answer in time")


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Two linked members on a board, before anything has run."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.xp = {"ada": 1_000, "bo": 1_000}
        yield community


def test_a_slot_is_synced_once(community: Community) -> None:
    """Who comes later in the same quarter of an hour finds nothing to do."""
    first = community.run()
    later = [community.run(timedelta(minutes=minutes)) for minutes in (0, 1, 13)]
    assert (first.outcome, first.slot) == ("synced", MONDAY + QUARTER)
    assert [report.outcome for report in later] == ["nothing"] * 3
    assert len(community.sought) == 1
    assert community.run(timedelta(minutes=1)).outcome == "synced"


def test_missed_slots_are_not_made_up(community: Community) -> None:
    """After a day without a runner one reading holds it all."""
    community.run()
    community.chat("ada", 500)
    report = community.run(timedelta(days=1))
    assert (report.outcome, len(community.sought), community.points("ada")) == ("synced", 2, 5)
    assert community.run(timedelta(0)).outcome == "nothing"


def test_a_failed_slot_is_not_tried_again(community: Community) -> None:
    """The next slot makes up for it."""
    community.trouble = DOWN
    assert community.run().outcome == "failed"
    community.trouble = None
    assert community.run(timedelta(minutes=10)).outcome == "nothing"
    assert community.run(timedelta(minutes=5)).outcome == "synced"


def test_a_slot_that_waits_requests_nothing(community: Community) -> None:
    """While the source is to be left alone a slot ends as waiting, and is no failure (R20, R21)."""
    community.trouble = SourceError("rate_limited", "slow down", retry_after=timedelta(minutes=40))
    outcomes = [community.run().outcome for _ in range(4)]
    community.trouble = None
    outcomes.append(community.run().outcome)
    assert outcomes == ["failed", "waiting", "waiting", "failed", "waiting"]
    assert len(community.sought) == 2
    assert community.ledger.run_state().sync.failures == 2


def test_a_slot_takes_no_reading_from_before_it(community: Community) -> None:
    """A manual sync just before the slot does not answer for it; one within it does (R21)."""
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
    """Nothing is asked of MEE6 that nobody needs."""
    community.engage.unlink("ada")
    community.engage.unlink("bo")
    assert community.run().outcome == "synced"
    assert (community.sought, community.run(timedelta(minutes=1)).outcome) == ([], "nothing")


def test_the_day_is_settled_from_five_past_midnight_on(community: Community) -> None:
    """Not at 00:00, though the day is over and read past; at 00:05, after the slot's sync (R15)."""
    community.run()
    community.chat("ada", 500)
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    at_midnight = community.engage.run_due()
    five_past = community.run(timedelta(minutes=5))
    assert (at_midnight.outcome, at_midnight.settled) == ("synced", ())
    assert (five_past.outcome, five_past.settled) == ("nothing", (date(2026, 3, 2),))
    assert community.run(timedelta(minutes=1)).settled == ()


def test_a_pending_day_is_settled_as_soon_as_it_can_be(community: Community) -> None:
    """When MEE6 is back at noon the day before is settled by the same run."""
    community.run()
    community.trouble = DOWN
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    assert [one.cause for one in community.run(timedelta(minutes=5)).pending] == ["no_sync"]
    community.trouble = None
    report = community.run(timedelta(hours=12))
    assert (report.outcome, report.settled, report.pending) == ("synced", (date(2026, 3, 2),), ())


def test_of_two_at_the_same_instant_one_works(community: Community) -> None:
    """Who comes while another reads says busy, reads nothing and leaves the slot to the other."""
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
    """Stopped for longer than its lease, it finds the slot ended by another and leaves no trace (R18)."""
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
    """It counts as no failure, and the next runner takes the slot (R18, R20)."""
    community.trouble = ReadStopped()
    assert community.run().outcome == "stopped"
    community.trouble = None
    assert community.ledger.run_state().sync.failures == 0
    assert community.run(timedelta(seconds=5)).outcome == "synced"


def test_nothing_is_settled_by_a_clock_in_doubt(community: Community) -> None:
    """A settlement stamped with a time to come would keep every later run away until then (R22)."""
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
    """A web worker settles what can be, and neither reads nor ends a slot."""
    community.run()
    worker = Engage(ledger=community.ledger, clock=lambda: community.now)
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    community.engage.run_due()
    community.now += timedelta(minutes=16)
    report = worker.run_due()
    assert (report.outcome, report.slot, report.settled) == ("nothing", None, (date(2026, 3, 2),))
    assert community.engage.run_due().outcome == "synced"


def test_the_status_tells_what_stands_open(community: Community) -> None:
    """Healthy while slots end; not once nothing runs, nor while an incident lasts."""
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
