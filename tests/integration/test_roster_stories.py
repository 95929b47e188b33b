"""Stories of members who leave and come back, as a roster sees them, with the expected ends (R6, R6a, R25)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.community import LEDGERS, Community, opened
from support.whos_there import Attended, attended
from trc_engage import InvalidValue, RosterMissing

TUESDAY = datetime(2026, 3, 3, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(params=LEDGERS)
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Attended]:
    """Yield a story of nine members at 1,000 XP on a Monday; by Tuesday at nine Ada has 1,140."""
    with opened(request.param, tmp_path) as ledger, attended(ledger) as story:
        story.begin("ada", "bo", "cy", "dee", "eli", "fay", "gus", "hal", "ivy")
        story.chat("ada", 140)
        until(story, TUESDAY)
        assert story.points("ada") == 1
        yield story


def until(story: Attended, at: datetime, minutes: float = 15) -> None:
    """Run every few minutes until this time."""
    story.go_on((at - story.now) / HOUR, minutes)


def kinds(story: Attended, name: str) -> list[tuple[str, datetime]]:
    """Return what the roster recorded about a member, and when."""
    return [(event.kind, event.at) for event in story.noted(name)]


def active(story: Attended, name: str) -> list[int]:
    """Return the days of March on which a member was active."""
    days = story.engage.days(name, datetime(2026, 3, 2).date(), story.now.date())  # noqa: DTZ001  a day
    return [one.day.day for one in days if one.is_active]


def test_left_reset_and_back(story: Attended) -> None:
    """If MEE6 resets a member during an absence, no point is taken, and the carried 40 XP plus 60 more make a point."""
    story.leave("ada")
    del story.xp["ada"]
    until(story, TUESDAY + 2 * DAY)
    (left,) = kinds(story, "ada")
    assert left[0] == "left"
    assert story.status_of("ada") == "left"
    story.come("ada")
    story.chat("ada", 60)
    until(story, TUESDAY + 2 * DAY + 2 * HOUR)
    assert [kind for kind, _ in kinds(story, "ada")] == ["left", "returned"]
    assert (story.points("ada"), story.status_of("ada")) == (1, "tracked")
    story.chat("ada", 60)
    story.run()
    assert story.points("ada") == 2


def test_nobody_need_mark_it(tmp_path: Path) -> None:
    """A member who leaves, is reset by MEE6 and comes back loses 59 points without a roster and none with one."""
    without = Community()
    without.enroll("ada")
    without.sync(ada=1_000)
    for xp in (6_900, 1_000):
        without.sync(ada=xp)
    assert without.points("ada") == 0
    with opened("sqlite", tmp_path) as ledger, attended(ledger) as story:
        story.begin("ada", "bo")
        story.chat("ada", 5_900)
        story.go_on(1)
        assert story.points("ada") == 59
        story.leave("ada")
        story.go_on(50, 30)
        story.xp["ada"] = 1_000
        story.come("ada")
        story.go_on(3)
        assert (story.points("ada"), story.status_of("ada")) == (59, "tracked")


def test_a_return_that_the_roster_saw(story: Attended) -> None:
    """XP earned since a return is paid and counts as activity on that day; no day of the absence counts."""
    story.leave("ada")
    until(story, TUESDAY + 2 * DAY)
    thursday = story.now
    story.come("ada")
    story.chat("ada", 220)
    until(story, thursday + DAY)
    (_, (kind, at)) = kinds(story, "ada")
    assert kind == "returned"
    assert thursday < at <= thursday + HOUR + timedelta(minutes=15)
    assert story.noted("ada")[1].window_from == thursday
    assert story.points("ada") == 3
    assert active(story, "ada") == [2, 5]


def test_what_an_absence_held_is_paid_once(story: Attended) -> None:
    """XP that MEE6 counted during an absence is paid once after the return, and not again after the next one."""
    story.leave("ada")
    until(story, TUESDAY + DAY + 2 * HOUR)
    assert story.status_of("ada") == "left"
    story.chat("ada", 300)
    story.come("ada")
    until(story, TUESDAY + 2 * DAY)
    story.leave("ada")
    until(story, TUESDAY + 3 * DAY + 2 * HOUR)
    story.come("ada")
    until(story, TUESDAY + 4 * DAY)
    assert [kind for kind, _ in kinds(story, "ada")] == ["left", "returned", "left", "returned"]
    assert story.points("ada") == 4


def test_a_roster_that_was_down_for_two_days(story: Attended) -> None:
    """A leave during an outage of the roster is recorded once it answers again; the admin gets alert and all-clear."""
    story.server.trouble("unavailable")
    story.leave("ada")
    until(story, TUESDAY + 2 * DAY)
    assert not story.noted()
    (alert, reminder) = story.inbox.titles
    assert alert.startswith("The roster failed, 3 times in a row since Tue 2026-03-03")
    assert reminder.startswith("Still so: The roster failed")
    story.server.recover()
    recovered = story.now
    until(story, recovered + DAY)
    ((kind, at),) = kinds(story, "ada")
    assert kind == "left"
    assert recovered + HOUR <= at <= recovered + 4 * HOUR
    assert story.inbox.titles[2:] == ["All clear: the roster answers again"]


def test_a_note_by_hand_against_a_roster_that_never_changed(story: Attended) -> None:
    """A manual leave that the roster contradicts stays, and status shows the member until the leave is taken back."""
    story.engage.leave("ada", by="admin-7", reason="she said so")
    until(story, TUESDAY + DAY)
    assert not story.noted()
    assert story.status_of("ada") == "left"
    (one,) = story.engage.status().roster.contradictions
    assert (one.member_id, one.is_left) == ("ada", True)
    story.engage.rejoin("ada", never_left=True, by="admin-7", reason="marked by mistake")
    until(story, TUESDAY + DAY + 3 * HOUR)
    assert not story.engage.status().roster.contradictions
    assert story.status_of("ada") == "tracked"


def test_a_return_by_hand_stands_until_the_roster_has_seen_it(story: Attended) -> None:
    """A manual return stays although the roster does not see the member; once seen, a later absence is a new leave."""
    story.leave("ada")
    until(story, TUESDAY + DAY + 2 * HOUR)
    assert story.status_of("ada") == "left"
    story.engage.rejoin("ada", by="admin-7", reason="she wrote to us")
    until(story, TUESDAY + DAY + 6 * HOUR)
    assert story.status_of("ada") == "tracked"
    assert [(one.member_id, one.is_left) for one in story.engage.status().roster.contradictions] == [("ada", False)]
    story.come("ada")
    until(story, TUESDAY + DAY + 9 * HOUR)
    assert not story.engage.status().roster.contradictions
    story.leave("ada")
    until(story, TUESDAY + 4 * DAY)
    assert [kind for kind, _ in kinds(story, "ada")] == ["left", "left"]


def test_a_mass_departure_that_was_real(story: Attended) -> None:
    """If six of nine leave in an hour, nothing is recorded and the admin is alerted; accepting it takes a name."""
    gone = ("ada", "bo", "cy", "dee", "eli", "fay")
    story.leave(*gone)
    story.now += DAY + HOUR
    first = story.engage.check_roster()
    assert (first.outcome, first.unconfirmed) == ("failed", 6)
    story.now += HOUR
    story.run()
    assert story.engage.check_roster(dry_run=True).error is not None
    assert any("too many would have left" in title for title in story.inbox.titles)
    assert not story.noted()
    with pytest.raises(InvalidValue, match="by"):
        story.engage.check_roster(accept_departures=True)
    planned = story.engage.check_roster(dry_run=True, accept_departures=True)
    assert (planned.outcome, sorted(planned.left), story.noted()) == ("planned", [*gone], [])
    done = story.engage.check_roster(accept_departures=True, by="admin-7", reason="the old team moved on")
    assert (sorted(done.left), done.unconfirmed, done.error) == ([*gone], 0, None)
    (event, *_) = story.noted("ada")
    assert (event.actor, event.reason) == ("roster", "the old team moved on")
    assert "admin-7" in (event.note or "")
    story.go_on(1)
    assert story.inbox.titles[-1] == "All clear: the roster answers again"


def test_an_engage_without_a_roster_says_so() -> None:
    """A roster check on an `Engage` without a roster raises `RosterMissing`, which names the parameter."""
    with pytest.raises(RosterMissing, match=r"roster="):
        Community().engage.check_roster()


def test_nothing_is_kept_of_who_was_forgotten(story: Attended) -> None:
    """Forgetting a member also deletes their roster checks."""
    (ada,) = story.ledger.checks("ada")
    story.engage.forget("ada")
    assert not story.ledger.checks("ada")
    database = getattr(story.ledger, "_database", None)
    if database is not None:
        with database.connection() as connection:
            held = connection.execute("SELECT count(*) FROM roster_checks WHERE account_id = ?", [ada.account_id])
            assert held.fetchone() == (0,)
