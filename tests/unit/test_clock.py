"""A clock that leapt is held back until it is confirmed, and what was done under one ahead can be undone (R22)."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given, settings, strategies as st

from support.clocked import Life
from support.community import IDS, LEDGERS, Community, opened
from support.noticeboard import Noticeboard
from trc_engage import ClockLeapt, Engage, InvalidValue, SourceError
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.errors import KeptAway
from trc_engage.usecases.audit import audit, audited

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WHO = {"by": "admin-7", "reason": "the clock was wrong"}
TUESDAY = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community on Tuesday: Ada and Bo were active on Monday, which is settled, and a channel takes notices."""
    with opened(request.param, tmp_path) as ledger:
        yield lived(Community(ledger))


def lived(community: Community) -> Community:
    """Add a channel for notices, let Ada and Bo be active on Monday, and settle it on Tuesday."""
    community.engage = Engage(
        ledger=community.ledger, source=community, clock=lambda: community.now, alerts=[Noticeboard("log")]
    )
    community.enroll("ada", "bo")
    community.sync(ada=1_000, bo=500)
    community.sync(ada=1_250, bo=620)
    community.now = TUESDAY
    assert community.run(timedelta(0)).settled == (date(2026, 3, 2),)
    return community


def test_a_leap_that_no_server_confirms_is_held_back(community: Community) -> None:
    """An unconfirmed leap stops syncs and settlements and alerts at once; a clock set right brings an all-clear."""
    community.tells_time = False
    before = community.ledger.run_state().sync
    community.chat("ada", 300)
    report = community.run(8 * DAY)
    assert (report.outcome, report.settled, type(report.error)) == ("failed", (), ClockLeapt)
    assert [(notice.kind, notice.topic) for notice in report.delivered] == [("alert", "clock")]
    assert "The clock leapt ahead" in report.delivered[0].title
    assert community.ledger.run_state().sync == before
    with pytest.raises(ClockLeapt, match="no server has confirmed"):
        community.engage.sync()
    with pytest.raises(ClockLeapt):
        community.engage.settle()
    community.now -= 8 * DAY
    back = community.run()
    assert (back.outcome, [notice.kind for notice in back.delivered]) == ("synced", ["all_clear"])
    assert community.points("ada") == 5
    assert audit(community.ledger).is_healthy


def test_a_leap_that_the_server_denies_is_held_back(community: Community) -> None:
    """A leap that the board's server denies is a trouble of the clock, not a failure of the board."""
    community.server_at = community.now
    report = community.run(400 * DAY)
    assert [notice.topic for notice in report.delivered] == ["clock"]
    assert "the board's server says 2026-03-03" in str(report.error)
    assert community.ledger.run_state().sync.failure_run is None


def test_a_daemon_that_was_off_goes_on_by_itself(community: Community) -> None:
    """After three weeks off, a run goes on if the board's server confirms the time, and settles the days in between."""
    community.chat("ada", 300)
    report = community.run(21 * DAY)
    assert (report.outcome, len(report.settled), report.delivered) == ("synced", 21, ())
    assert community.points("ada") == 5


def test_a_failure_confirms_nothing(community: Community) -> None:
    """Failed reads confirm no leap, however many; a good one with the server's time does."""
    community.trouble = SourceError("down", "no answer")
    for after in (8 * DAY, HOUR, HOUR):
        assert community.run(after).outcome == "failed"
    community.trouble, community.tells_time = None, False
    assert isinstance(community.run().error, ClockLeapt)
    community.tells_time = True
    assert community.run().outcome == "synced"


def test_an_outage_of_the_board_is_no_leap(community: Community) -> None:
    """Ten days of failed runs are no leap, so the next good sync needs no confirmation."""
    community.tells_time, community.trouble = False, SourceError("down", "no answer")
    for _ in range(10):
        assert "clock" not in [notice.topic for notice in community.run(DAY).delivered]
    community.trouble = None
    assert community.run().outcome == "synced"


def test_a_slot_that_is_held_back_is_not_asked_for_again(community: Community) -> None:
    """A second run in a slot that was held back sends no request (R21)."""
    community.tells_time = False
    community.run(8 * DAY)
    asked = len(community.sought)
    community.run(MINUTE)
    assert len(community.sought) == asked


def test_an_admin_confirms(community: Community) -> None:
    """A confirmation is recorded with name and reason; if nothing is held back, nothing is recorded."""
    community.tells_time = False
    community.now += 8 * DAY
    assert community.engage.confirm_clock(**WHO).outcome == "confirmed"
    assert community.engage.confirm_clock(**WHO).outcome == "unchanged"
    assert community.run(timedelta(0)).outcome == "synced"
    (decision,) = audited(community.ledger).holdings().decisions
    assert (decision.kind, decision.at, decision.actor, decision.reason) == ("confirmed", community.now, *WHO.values())
    with pytest.raises(InvalidValue):
        community.engage.confirm_clock(by="", reason="why")


def test_without_a_source_an_admin_confirms(community: Community) -> None:
    """Without a source, settling waits after a leap until an admin confirms the clock, and the run says so."""
    for name in ("ada", "bo"):
        community.engage.unlink(name)
    community.engage = Engage(ledger=community.ledger, clock=lambda: community.now)
    held_back = community.run(9 * DAY)
    assert (held_back.outcome, type(held_back.error)) == ("failed", ClockLeapt)
    community.engage.confirm_clock(**WHO)
    assert len(community.run(timedelta(0)).settled) == 9


def test_what_others_write_is_taken_and_proves_nothing(community: Community) -> None:
    """Awards and changes to members are accepted after a leap, but do not confirm it: the next run is held back."""
    community.tells_time = False
    community.now += 8 * DAY
    community.award("bo", "run:1")
    community.engage.enroll("cy", discord_id=IDS["cy"])
    community.engage.excuse(date(2026, 3, 5), reason="ill", by="admin", member_id="ada")
    assert isinstance(community.run().error, ClockLeapt)


AHEAD = {"3 minutes": 3 * MINUTE, "8 days": 8 * DAY, "2 years": 730 * DAY}


def _run(community: Community) -> None:
    community.chat("ada", 330)
    community.run()


def _settlement(community: Community) -> None:
    community.chat("bo", 50)
    community.run()
    community.run(DAY)


def _award(community: Community) -> None:
    community.award("bo", "run:1")


def _excuse(community: Community) -> None:
    community.engage.excuse(date(2026, 3, 2), date(2026, 3, 4), reason="ill", by="admin", member_id="bo")


def _newcomer(community: Community) -> None:
    community.enroll("cy")
    community.run()
    community.chat("cy", 250)
    community.run()


DONE = {"run": _run, "settlement": _settlement, "award": _award, "excuse": _excuse, "newcomer": _newcomer}


@pytest.mark.parametrize("ahead", AHEAD.values(), ids=AHEAD)
@pytest.mark.parametrize("done", DONE.values(), ids=DONE)
def test_what_was_done_under_a_clock_ahead_is_undone(
    community: Community, ahead: timedelta, done: Callable[[Community], None]
) -> None:
    """A repair keeps all points and leaves sound books; streaks and the next sync are as under a right clock."""
    community.now += ahead
    done(community)
    points = {name: community.points(name) for name in ("ada", "bo")}
    community.now = TUESDAY + 30 * MINUTE
    planned = community.engage.repair_clock(dry_run=True)
    report = community.engage.repair_clock(by="admin-7", reason="it was wrong")
    assert (planned.outcome, report.outcome) in {("planned", "repaired"), ("unchanged", "unchanged")}
    assert community.engage.repair_clock(by="admin-7", reason="it was wrong").outcome == "unchanged"
    assert {name: community.points(name) for name in ("ada", "bo")} == points
    assert not audit(community.ledger).breaches
    community.chat("ada", 100)
    synced = community.run()
    assert synced.sync is not None
    assert synced.sync.gained == 1
    community.now = datetime(2026, 3, 4, 0, 10, tzinfo=UTC)
    assert community.run(timedelta(0)).settled == (date(2026, 3, 3),)
    streak = community.engage.standing("ada").streak
    assert streak is not None
    assert streak.current == 2
    assert not audit(community.ledger).breaches


class Meant(TypedDict):
    """Who repairs the clock, and why."""

    by: str
    reason: str


MEANT: Meant = {"by": "admin-7", "reason": "it ran ahead"}


def test_a_repair_needs_a_clock_that_is_right(community: Community) -> None:
    """A repair is refused unless the board's server tells the same time or an admin trusts the clock."""
    community.now += 8 * DAY
    _run(community)
    community.now = TUESDAY + 30 * MINUTE
    community.server_at = community.now + HOUR
    with pytest.raises(SourceError, match="clock") as refused:
        community.engage.repair_clock(**MEANT)
    assert refused.value.kind == "clock"
    community.server_at, community.tells_time = None, False
    for engage in (community.engage, Engage(ledger=community.ledger, clock=lambda: community.now)):
        with pytest.raises(InvalidValue, match=r"^trust_clock: False: no server tells the time here: compare this"):
            engage.repair_clock(**MEANT)
    assert community.engage.repair_clock(dry_run=True).outcome == "planned"
    assert community.engage.repair_clock(**MEANT, trust_clock=True).outcome == "repaired"


def test_a_repair_asks_no_server_that_wants_to_be_left_alone(community: Community) -> None:
    """A repair keeps the wait that a server asked for, and sends no request (R21)."""
    community.trouble = SourceError("rate_limited", "slow down", timedelta(minutes=40))
    community.run()
    asked = len(community.sought)
    with pytest.raises(KeptAway):
        community.engage.repair_clock(**MEANT)
    assert len(community.sought) == asked


def test_activity_under_a_clock_ahead_is_dated_to_now(community: Community) -> None:
    """Activity seen under a clock ahead counts from the last good sync to the repair, not for days to come (R12)."""
    community.now += 8 * DAY
    _run(community)
    community.now = TUESDAY + 30 * MINUTE
    community.engage.repair_clock(**MEANT)
    evidence = community.ledger.evidence("ada", date.min, date.max)
    assert [one.day for one in evidence] == [date(2026, 3, 2), date(2026, 3, 3)]


def test_a_repair_tells_what_became_of_streaks(community: Community) -> None:
    """A repair reports the streak that a false window made longer, but not one that the calendar had ended (R28)."""
    community.now += 8 * DAY
    _settlement(community)
    community.now = TUESDAY + 30 * MINUTE
    planned, done = community.engage.repair_clock(dry_run=True), community.engage.repair_clock(**MEANT)
    assert [(one.member_id, one.current_before, one.current_after) for one in done.late] == [("bo", 8, 1)]
    assert planned.late == done.late


@settings(deadline=None, max_examples=30)
@given(st.integers(min_value=0, max_value=10**9))
def test_a_repaired_life_is_as_if_nobody_had_looked(seed: int) -> None:
    """After a repair, points are as under a right clock, and so are days and streaks if it was ahead throughout."""
    life, other = Life(MemoryLedger(), seed).lived(), Life(MemoryLedger(), seed, looks=False).lived()
    told, expected = life.told(), other.told()
    shown = slice(None) if life.is_all_ahead else slice(1)
    assert {name: one[shown] for name, one in told.items()} == {name: one[shown] for name, one in expected.items()}
    assert not audit(life.ledger).breaches
