"""What syncs, runs, settlements and repairs log: a line for each event, with its numbers as fields."""

import logging
from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve

from support.community import Community
from support.noticeboard import Noticeboard
from trc_engage import Board, Engage, SourceError
from trc_engage.core.posting import Posting
from trc_engage.core.streaks import Streak


class Paged(Community):
    """A community whose board takes this many pages."""

    pages = 1

    def read(self, sought: frozenset[str], /) -> Board:
        """Return the board with its number of pages."""
        return evolve(super().read(sought), pages=self.pages)


@pytest.fixture
def community(caplog: pytest.LogCaptureFixture) -> Paged:
    """Capture the log of the use cases, and return a community without members."""
    caplog.set_level(logging.DEBUG, logger="trc_engage.usecases")
    return Paged()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged since the last call."""
    told = [f"{record.levelname} {record.getMessage()}" for record in caplog.records]
    caplog.clear()
    return told


def test_a_sync_tells_what_it_did(community: Paged, caplog: pytest.LogCaptureFixture) -> None:
    """A sync logs its points and the counts that are not zero; a run that reads nothing logs why."""
    community.run()
    assert lines(caplog) == ["INFO synced, nothing read: nobody is linked"]
    community.enroll("ada", "bo")
    community.xp = {"ada": 1_000, "bo": 40}
    community.run()
    assert lines(caplog) == ["INFO synced: +0 points; 2 opened; 22 rows on 1 page"]
    community.pages = 2
    community.sync(ada=1_250)
    (record,) = caplog.records
    told = {name: getattr(record, name) for name in ("points", "gained", "unchanged", "absent", "rows", "pages")}
    assert told == {"points": 2, "gained": 1, "unchanged": 1, "absent": 0, "rows": 22, "pages": 2}
    assert lines(caplog) == ["INFO synced: +2 points; 1 gained, 1 unchanged; 22 rows on 2 pages"]
    community.sync(timedelta(minutes=14))
    lines(caplog)
    community.engage.unlink("ada")
    community.engage.unlink("bo")
    community.sync(timedelta(minutes=6))
    assert lines(caplog) == []


def test_a_slot_that_a_recent_reading_answers_says_so(community: Paged, caplog: pytest.LogCaptureFixture) -> None:
    """A run that a recent reading answers logs the time of that reading."""
    community.enroll("ada")
    community.sync(ada=1_000)
    lines(caplog)
    community.run(timedelta(minutes=4))
    assert lines(caplog) == ["INFO synced, nothing read: the reading of 09:15:00 is recent enough"]


def test_a_run_tells_why_it_did_nothing(community: Paged, caplog: pytest.LogCaptureFixture) -> None:
    """A failed sync and a clock that went back are warnings; that another run is busy is logged for debugging."""
    community.enroll("ada")
    community.trouble = SourceError("rate_limited", "slow down", timedelta(minutes=20))
    community.run()
    community.run()
    assert lines(caplog)[0] == "WARNING sync failed (rate_limited): slow down"
    assert community.run(timedelta(minutes=1)).outcome == "nothing"
    community.ledger.lease("run", community.now, community.now + timedelta(hours=1))
    community.run()
    assert [line.partition(":")[0] for line in lines(caplog)] == ["DEBUG busy"]
    community.trouble = None
    community.run(timedelta(hours=2))
    lines(caplog)
    community.run(-timedelta(hours=1))
    assert [line.partition(":")[0] for line in lines(caplog)] == ["WARNING refused"]


def test_a_wait_is_told(community: Paged, caplog: pytest.LogCaptureFixture) -> None:
    """A slot that ends while the source has asked for a wait is logged as waiting."""
    community.enroll("ada")
    community.trouble = SourceError("rate_limited", "slow down", timedelta(minutes=20))
    community.run()
    lines(caplog)
    community.run()
    assert [line.partition(":")[0] for line in lines(caplog)] == ["INFO waiting"]


def test_a_settlement_tells_the_day_and_who_was_active(community: Paged, caplog: pytest.LogCaptureFixture) -> None:
    """A settlement logs the day and how many members were active on it."""
    community.engage.enroll("ada")
    community.award("ada", "run:1")
    community.now += timedelta(days=1)
    community.engage.settle()
    (record,) = caplog.records
    assert (getattr(record, "day", None), getattr(record, "active", None)) == ("2026-03-02", 1)
    assert lines(caplog) == ["INFO settled 2026-03-02: 1 active"]


def test_a_notice_that_was_not_taken_is_told(community: Paged, caplog: pytest.LogCaptureFixture) -> None:
    """A notice that a channel did not take is logged with the channel's error."""
    board = Noticeboard(torn_down=True)
    community.engage = Engage(ledger=community.ledger, source=community, clock=lambda: community.now, alerts=[board])
    community.enroll("ada")
    community.trouble = SourceError("down", "no answer")
    for _ in range(3):
        community.run()
    assert lines(caplog)[-1] == (
        "WARNING the alert of source was not delivered: the noticeboard is torn down; put it up again"
    )


def test_a_repair_tells_what_was_and_is(community: Paged, caplog: pytest.LogCaptureFixture) -> None:
    """A repair logs each change, with what was there before and after."""
    community.engage.enroll("ada")
    community.now = datetime(2026, 3, 3, 9, tzinfo=UTC)
    community.engage.settle()
    community.ledger.post(Posting(community.now, streaks=[Streak("ada", 0, date(2026, 3, 2), 9, 9)]))
    lines(caplog)
    community.engage.repair()
    assert lines(caplog) == ["INFO rebuilt: member 'ada': the streak: 9 to 2026-03-02 (longest 9) -> none (longest 0)"]
