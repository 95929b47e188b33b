"""An unattended run: no failure gets out, and one that lasts is alerted even if the store cannot count it."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, field

from support.community import QUARTER, Community, opened
from support.noticeboard import Broken, Noticeboard
from trc_engage.core.ports import Alerts
from trc_engage.core.reports import RunReport
from trc_engage.entrypoints.daemon.loop import Monitor, Supervisor
from trc_engage.usecases.leases import TASK

CANARY = "ada.never-to-be-told"


@define
class KeptMonitor(Monitor):
    """A monitor that keeps runs and bugs."""

    runs: list[RunReport] = field(factory=list)
    bugs: list[BaseException] = field(factory=list)

    def check_in(self, report: RunReport, /) -> None:
        """Keep a run."""
        self.runs.append(report)

    def capture(self, error: BaseException, /) -> None:
        """Keep a bug."""
        self.bugs.append(error)


class Place:
    """A community in a file that can be damaged, with a supervisor."""

    def __init__(self, community: Community, store: Path) -> None:
        self.community = community
        self.channels = [Noticeboard("first"), Noticeboard("second")]
        self.monitor = KeptMonitor()
        self.store = store
        self._whole = b""
        self.supervisor = self.another_supervisor()

    def another_supervisor(self) -> Supervisor:
        """Return a supervisor that begins now."""
        return Supervisor(self.community.engage, self.channels, lambda: self.community.now, self.monitor)

    def run(self, times: int = 1, every: timedelta = QUARTER) -> RunReport | None:
        """Run this many times, and return the last report."""
        report = None
        for _ in range(times):
            self.community.now += every
            report = self.supervisor.run()
        return report

    def damage(self) -> None:
        """Make the file one that SQLite cannot read."""
        self._whole = self.store.read_bytes()
        self.store.write_bytes(b"damaged " * (len(self._whole) // 8))

    def mend(self) -> None:
        """Put the file back."""
        self.store.write_bytes(self._whole)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened("sqlite", tmp_path) as ledger:
        with ledger._database.connection() as connection:  # type: ignore[attr-defined]
            connection.execute("PRAGMA busy_timeout = 10")
        community = Community(ledger)
        community.enroll("ada")
        yield Place(community, tmp_path / "engage.db")


def test_a_store_that_fails_three_times_is_told_on_every_channel(place: Place) -> None:
    """The third failure causes an alert, each day a reminder, and the recovery one all-clear, on every channel."""
    place.damage()
    assert place.run(2) is None
    assert place.channels[0].kinds == []
    place.run()
    assert place.channels[0].kinds == ["alert"]
    place.run(96)
    assert place.channels[0].kinds == ["alert", "reminder"]
    place.mend()
    report = place.run(2)
    assert report is not None
    assert report.outcome == "synced"
    assert place.channels[0].kinds == ["alert", "reminder", "all_clear"]
    assert place.channels[1].notices == place.channels[0].notices
    assert [run.outcome for run in place.monitor.runs] == ["synced", "synced"]
    assert place.monitor.bugs == []


def test_the_alert_says_what_what_it_means_and_what_to_do(place: Place) -> None:
    """The alert says since when the store fails, that no XP is lost, and what remedy the store itself names."""
    place.damage()
    place.run(3)
    (alert,) = place.channels[0].notices
    assert alert.title == "The store failed, 3 times in a row since Mon 2026-03-02 09:15 UTC"
    assert "restore a backup" in alert.text
    assert "No XP is lost" in alert.text
    assert alert.since == place.community.now - 2 * QUARTER


def test_failures_that_are_not_in_a_row_alarm_nobody(place: Place) -> None:
    """Two failures, a run that works and two more failures cause no alert."""
    for _ in range(2):
        place.damage()
        place.run(2)
        place.mend()
        place.run()
    assert place.channels[0].kinds == []


def test_a_channel_that_is_down_is_tried_again(place: Place) -> None:
    """A channel that was down gets the alert by a later run; every channel gets it once."""
    place.channels[0].torn_down = True
    place.damage()
    place.run(4)
    place.channels[0].torn_down = False
    place.run(2)
    assert [channel.kinds for channel in place.channels] == [["alert"], ["alert"]]


def test_a_channel_that_breaks_its_promise_silences_no_other(place: Place) -> None:
    """An unexpected error of a channel does not get out, and the other channels get the alert."""
    community = place.community
    channels: list[Alerts] = [Broken(), *place.channels]
    place.supervisor = Supervisor(community.engage, channels, lambda: community.now, place.monitor)
    place.damage()
    assert place.run(3) is None
    assert [channel.kinds for channel in place.channels] == [["alert"], ["alert"]]


def test_a_bug_ends_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A bug is logged and captured each time, and alerted at the third without its text; runs go on."""
    place.community.trouble = ZeroDivisionError(CANARY)
    with caplog.at_level(logging.INFO):
        assert place.run(3) is None
    assert [bool(record.exc_info) for record in caplog.records if record.levelname == "ERROR"] == [True] * 3
    assert [type(bug) for bug in place.monitor.bugs] == [ZeroDivisionError] * 3
    (alert,) = place.channels[0].notices
    assert "ZeroDivisionError" in alert.text
    assert CANARY not in alert.title + alert.text
    place.community.trouble = None
    assert place.run() is not None


def test_a_failing_store_is_one_line_each_time(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A failing store is logged as one line without a traceback, because the line says what to do."""
    place.damage()
    place.run()
    (record,) = [record for record in caplog.records if record.name.endswith("daemon.loop")]
    assert (record.levelname, record.exc_info) == ("ERROR", None)
    assert "restore a backup" in record.getMessage()


def test_a_store_that_is_held_for_three_slots_is_told(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A store that is locked for three slots is alerted, however many runs each slot has; each run logs the reason."""
    with closing(sqlite3.connect(place.store, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        place.run(2)
        place.run(5, every=timedelta(minutes=1))
        assert place.channels[0].kinds == []
        place.run()
        assert place.channels[0].kinds == ["alert"]
    place.run()
    assert place.channels[0].kinds == ["alert", "all_clear"]
    put_off = [record for record in caplog.records if record.getMessage().startswith("the run was put off: ")]
    assert [("in use by others" in record.getMessage(), record.levelname) for record in put_off] == [
        (True, "WARNING")
    ] * 8


def test_another_at_work_neither_alarms_nor_clears(place: Place) -> None:
    """A run that finds another one at work neither starts nor ends an alert, since it does not see the store."""
    now = place.community.now
    other = place.community.ledger.lease(TASK, now, now + timedelta(days=1))
    place.run(4)
    assert place.channels[0].kinds == []
    place.damage()
    place.run(3)
    place.mend()
    place.run()
    assert place.channels[0].kinds == ["alert"]
    place.community.ledger.release(other)
    place.run()
    assert place.channels[0].kinds == ["alert", "all_clear"]
