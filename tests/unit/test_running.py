"""What is due is done once, whoever calls (R15, R18, R20, R21)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, field

from community import LEDGERS, MONDAY, QUARTER, Community, opened
from trc_engage import AlertFailed, Engage, Notice, ReadStopped, RunReport, SourceError

DOWN = SourceError("down", "MEE6 did not answer in time")


@define
class Noticeboard:
    """A channel that keeps what it took, unless it is torn down."""

    channel: str = "noticeboard"
    torn_down: bool = False
    notices: list[Notice] = field(factory=list)

    def send(self, notice: Notice, /) -> None:
        """Keep a notice."""
        if self.torn_down:
            raise AlertFailed("the noticeboard is torn down; put it up again")
        self.notices.append(notice)

    @property
    def kinds(self) -> list[str]:
        """The kinds of what was taken, in order."""
        return [notice.kind for notice in self.notices]


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Two linked members on a board, before anything has run."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.xp = {"ada": 1_000, "bo": 1_000}
        yield community


@pytest.fixture
def noticeboard(community: Community) -> Noticeboard:
    """Hang up a noticeboard."""
    board = Noticeboard()
    community.engage = Engage(ledger=community.ledger, source=community, clock=lambda: community.now, alerts=[board])
    return board


def run(community: Community, after: timedelta = QUARTER) -> RunReport:
    """Let time pass, and do what is due."""
    community.now += after
    return community.engage.run_due()


def test_a_slot_is_synced_once(community: Community) -> None:
    """Who comes later in the same quarter of an hour finds nothing to do."""
    first = run(community)
    later = [run(community, timedelta(minutes=minutes)) for minutes in (0, 1, 13)]
    assert (first.outcome, first.slot) == ("synced", MONDAY + QUARTER)
    assert [report.outcome for report in later] == ["nothing"] * 3
    assert len(community.sought) == 1
    assert run(community, timedelta(minutes=1)).outcome == "synced"


def test_missed_slots_are_not_made_up(community: Community) -> None:
    """After a day without a runner one reading holds it all."""
    run(community)
    community.chat("ada", 500)
    report = run(community, timedelta(days=1))
    assert (report.outcome, len(community.sought), community.points("ada")) == ("synced", 2, 5)
    assert run(community, timedelta(0)).outcome == "nothing"


def test_a_failed_slot_is_not_tried_again(community: Community) -> None:
    """The next slot makes up for it."""
    community.trouble = DOWN
    assert run(community).outcome == "failed"
    community.trouble = None
    assert run(community, timedelta(minutes=10)).outcome == "nothing"
    assert run(community, timedelta(minutes=5)).outcome == "synced"


def test_a_slot_that_waits_requests_nothing(community: Community) -> None:
    """While the source is to be left alone a slot ends as waiting, and is no failure (R20, R21)."""
    community.trouble = SourceError("rate_limited", "slow down", retry_after=timedelta(minutes=40))
    outcomes = [run(community).outcome for _ in range(4)]
    community.trouble = None
    outcomes.append(run(community).outcome)
    assert outcomes == ["failed", "waiting", "waiting", "failed", "waiting"]
    assert len(community.sought) == 2
    assert community.ledger.sync_state().failures == 2


def test_a_slot_takes_no_reading_from_before_it(community: Community) -> None:
    """A manual sync just before the slot does not answer for it; one within it does (R21)."""
    community.now += timedelta(minutes=14)
    community.engage.sync()
    assert run(community, timedelta(minutes=1)).outcome == "synced"
    assert len(community.sought) == 2
    community.now += timedelta(minutes=15)
    community.engage.sync()
    report = run(community, timedelta(minutes=4))
    assert (report.outcome, report.sync and report.sync.outcome, len(community.sought)) == ("synced", "cached", 3)
    assert run(community, timedelta(minutes=6)).outcome == "nothing"


def test_with_nobody_linked_a_slot_ends_without_a_request(community: Community) -> None:
    """Nothing is asked of MEE6 that nobody needs."""
    community.engage.unlink("ada")
    community.engage.unlink("bo")
    assert run(community).outcome == "synced"
    assert (community.sought, run(community, timedelta(minutes=1)).outcome) == ([], "nothing")


def test_the_day_is_settled_from_five_past_midnight_on(community: Community) -> None:
    """Not at 00:00, though the day is over and read past; at 00:05, after the slot's sync (R15)."""
    run(community)
    community.chat("ada", 500)
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    at_midnight = community.engage.run_due()
    five_past = run(community, timedelta(minutes=5))
    assert (at_midnight.outcome, at_midnight.settled) == ("synced", ())
    assert (five_past.outcome, five_past.settled) == ("nothing", (date(2026, 3, 2),))
    assert run(community, timedelta(minutes=1)).settled == ()


def test_a_pending_day_is_settled_as_soon_as_it_can_be(community: Community) -> None:
    """When MEE6 is back at noon the day before is settled by the same run."""
    run(community)
    community.trouble = DOWN
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    assert [one.cause for one in run(community, timedelta(minutes=5)).pending] == ["no_sync"]
    community.trouble = None
    report = run(community, timedelta(hours=12))
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
    run(community)
    reports: list[RunReport] = []

    class Asleep:
        def read(self, sought: frozenset[str], /) -> object:
            board = community.read(sought)
            community.now += timedelta(minutes=6)
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
    assert run(community).outcome == "stopped"
    community.trouble = None
    assert community.ledger.sync_state().failures == 0
    assert run(community, timedelta(seconds=5)).outcome == "synced"


def test_nothing_is_settled_by_a_clock_in_doubt(community: Community) -> None:
    """A settlement stamped with a time to come would keep every later run away until then (R22)."""
    run(community)
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    run(community, timedelta(0))
    community.server_at = community.now
    ahead = run(community, timedelta(days=400))
    assert (ahead.outcome, ahead.settled) == ("failed", ())
    community.server_at = None
    back = run(community, timedelta(days=-400, minutes=15))
    assert (back.outcome, back.settled) == ("synced", (date(2026, 3, 2),))


def test_without_a_source_slots_are_left_to_others(community: Community) -> None:
    """A web worker settles what can be, and neither reads nor ends a slot."""
    run(community)
    worker = Engage(ledger=community.ledger, clock=lambda: community.now)
    community.now = datetime(2026, 3, 3, tzinfo=UTC)
    community.engage.run_due()
    community.now += timedelta(minutes=16)
    report = worker.run_due()
    assert (report.outcome, report.slot, report.settled) == ("nothing", None, (date(2026, 3, 2),))
    assert community.engage.run_due().outcome == "synced"


def test_the_third_failure_alerts_once_and_the_recovery_clears(community: Community, noticeboard: Noticeboard) -> None:
    """One alert, a reminder a day, one all-clear (R20)."""
    run(community)
    community.trouble = DOWN
    for _ in range(2 + 4 * 25):
        run(community)
    assert noticeboard.kinds == ["alert", "reminder"]
    community.trouble = None
    run(community)
    run(community)
    assert noticeboard.kinds == ["alert", "reminder", "all_clear"]


def test_a_channel_that_is_down_is_tried_again(community: Community, noticeboard: Noticeboard) -> None:
    """What it did not take it is told with the next run."""
    run(community)
    community.trouble = DOWN
    run(community)
    run(community)
    noticeboard.torn_down = True
    report = run(community)
    assert ([notice.kind for notice in report.undelivered], report.delivered) == (["alert"], ())
    noticeboard.torn_down = False
    assert [notice.kind for notice in run(community, timedelta(minutes=1)).delivered] == ["alert"]
    assert run(community, timedelta(minutes=1)).delivered == ()


def test_a_channel_that_breaks_its_promise_silences_no_other(community: Community, noticeboard: Noticeboard) -> None:
    """A channel may be anybody's code; its error ends neither the run nor the others' notices."""

    class Broken:
        channel = "broken"

        def send(self, notice: Notice, /) -> None:
            raise ConnectionError(f"no line for {notice.kind}")

    community.engage = Engage(
        ledger=community.ledger, source=community, clock=lambda: community.now, alerts=[Broken(), noticeboard]
    )
    run(community)
    community.trouble = DOWN
    reports = [run(community) for _ in range(3)]
    assert noticeboard.kinds == ["alert"]
    assert [len(report.undelivered) for report in reports] == [0, 0, 1]


def test_what_an_admin_must_decide_is_told_during_an_outage(community: Community, noticeboard: Noticeboard) -> None:
    """Who was told of an outage is told at once of the board that came back with everybody's XP gone (R10)."""
    community.enroll("cy", "dee", "eli")
    community.xp = dict.fromkeys(("ada", "bo", "cy", "dee", "eli"), 1_000)
    run(community)
    community.trouble = DOWN
    for _ in range(3):
        run(community)
    community.trouble, community.xp = None, dict.fromkeys(community.xp, 500)
    run(community)
    assert noticeboard.kinds == ["alert", "alert"]
    assert "5 of 5 members" in noticeboard.notices[-1].text


def test_what_an_admin_must_decide_is_told_at_once(community: Community, noticeboard: Noticeboard) -> None:
    """A board that is not trusted does not wait for its third failure (R10)."""
    community.enroll("cy", "dee", "eli")
    community.xp = dict.fromkeys(("ada", "bo", "cy", "dee", "eli"), 1_000)
    run(community)
    community.xp = dict.fromkeys(community.xp, 500)
    run(community)
    (notice,) = noticeboard.notices
    assert (notice.kind, notice.topic) == ("alert", "source")
    for word in ("5 of 5 members", "25 points", "--accept-drops", "--rebase-drops"):
        assert word in notice.text
    community.engage.sync(rebase_drops=True)
    run(community, timedelta(minutes=1))
    assert noticeboard.kinds == ["alert", "all_clear"]


def test_a_clock_that_went_back_is_told_at_once(community: Community, noticeboard: Noticeboard) -> None:
    """Nothing is synced or settled meanwhile, and the slot of the wrong time is not ended (R22)."""
    run(community)
    community.now -= timedelta(days=30)
    report = community.engage.run_due()
    assert (report.outcome, report.slot, noticeboard.kinds) == ("failed", None, ["alert"])
    assert "date -u" in noticeboard.notices[0].text
    run(community, timedelta(days=31))
    assert noticeboard.kinds == ["alert", "all_clear"]


def test_the_status_tells_what_stands_open(community: Community) -> None:
    """Healthy while slots end; not once nothing runs, nor while an incident lasts."""
    assert not community.engage.status().is_healthy
    run(community)
    status = community.engage.status()
    assert (status.is_healthy, status.good_at, status.next_sync_at) == (True, community.now, community.now + QUARTER)
    assert status.next_settlement_at == datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
    assert (status.lease, status.tally.members, status.tally.accounts) == (None, 2, {"tracked": 2})
    community.now += timedelta(hours=1)
    assert not community.engage.status().is_attended
    community.trouble = DOWN
    for _ in range(3):
        run(community)
    status = community.engage.status()
    assert (status.is_attended, status.is_healthy) == (True, False)
    assert [trouble.topic for trouble in status.troubles] == ["source"]
