"""Two weeks of the daemon in seconds, with the real loop, a real file, and a clock that the test moves."""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from threading import enumerate as enumerate_threads

import pytest
import time_machine
from attrs import frozen

from support.community import NAMES, QUARTER, Community, opened
from trc_engage import Board
from trc_engage.core.errors import SourceError
from trc_engage.core.ports import Store
from trc_engage.core.reports import RunReport
from trc_engage.core.settlement import ends_at
from trc_engage.core.slots import slot_of
from trc_engage.entrypoints.daemon.logs import logged
from trc_engage.entrypoints.daemon.loop import HUNG_AFTER_SECONDS, Daemon, Monitor, Supervisor, Systemd

READ_SECONDS = 70
FAILING_SHARE = 0.02
FIVE_PAST = timedelta(minutes=5)
TICK_SECONDS_MAX = 31
SECONDS_MAX = 60


@frozen
class Span:
    """A span of time, from one instant until just before another."""

    since: datetime
    until: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until


@pytest.fixture
def _in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the host's zone to one that changes its clocks."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


class Life(Community):
    """A community whose time passes by the daemon's waits and by the time that reads take."""

    def __init__(self, ledger: Store, traveller: time_machine.Traveller, until: datetime, *, seed: int) -> None:
        super().__init__(ledger)
        self.until = until
        self.outage: Span | None = None
        self.suspend: Span | None = None
        self.failing_share = 0.0
        self.chats = True
        self.reads: list[datetime] = []
        self.answered: list[datetime] = []
        self._traveller = traveller
        self._chance = Random(seed)
        self._pass(0)
        self.enroll(*NAMES)

    def live(self) -> None:
        """Run the daemon until the end."""
        supervisor = Supervisor(self.engage, [], lambda: self.now, Monitor())
        Daemon(supervisor.run, self.wait, Systemd()).run()

    def wait(self, seconds: float) -> bool:
        """Let the requested time pass, a little more, or a suspend; return whether the end has come."""
        if seconds and self.suspend and self.now in self.suspend:
            self._pass((self.suspend.until - self.now).total_seconds())
        elif seconds:
            self._pass(seconds + self._chance.random() / 5)
        return self.now >= self.until

    def read(self, sought: frozenset[str], /) -> Board:
        """Return the board after a while, or fail if the source is down."""
        began = self.now
        self.reads.append(began)
        self._pass(READ_SECONDS)
        if (self.outage and began in self.outage) or self._chance.random() < self.failing_share:
            raise SourceError("down", "it is down")
        self.answered.append(began)
        for name in self._chance.sample(NAMES, k=6) if self.chats else ():
            self.chat(name, self._chance.randint(15, 400))
        return super().read(sought)

    def _pass(self, seconds: float) -> None:
        self._traveller.shift(seconds)
        self.now = datetime.now(UTC)


@pytest.mark.usefixtures("_in_new_york")
@pytest.mark.parametrize("changes_on", [date(2026, 3, 8), date(2026, 11, 1)], ids=["March", "November"])
def test_a_fortnight_with_all_that_happens(changes_on: date, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No slot and no day is lost to syncs of 70 s, failures, an outage, a weekend's suspend and a change of the clocks.

    2% of the syncs fail, and the outage lasts 30 hours. Each slot in which the daemon ran ends once, as synced if the
    source answered; each day is settled once, in order, at 00:05 or as soon as a good sync began after its end.
    """
    midnight = datetime(changes_on.year, changes_on.month, changes_on.day, tzinfo=UTC)
    start, until = (midnight + timedelta(days=days, hours=9, minutes=7) for days in (-6, 8))
    outage = Span(midnight - timedelta(days=3, hours=5), midnight - timedelta(days=2) + timedelta(hours=1))
    suspend = Span(midnight + timedelta(days=5, hours=20), midnight + timedelta(days=8, hours=8, minutes=3))
    with time_machine.travel(start.timestamp(), tick=False) as traveller, opened("sqlite", tmp_path) as ledger:
        life = Life(ledger, traveller, until, seed=changes_on.month)
        life.outage, life.suspend, life.failing_share = outage, suspend, FAILING_SHARE
        assert time.tzname == ("EST", "EDT")
        with caplog.at_level("INFO", "trc_engage.usecases.settlement"):
            life.live()
    ended, settled = told_by(tmp_path / "engage.db")

    slots = [slot_of(start) + number * QUARTER for number in range(14 * 96 + 1)]
    lived = [slot for slot in slots if not (suspend.since < slot and slot + QUARTER < suspend.until)]
    assert len(slots) - len(lived) == 60 * 4 - 1
    assert sorted(ended) == lived
    assert set(Counter(map(slot_of, life.reads)).values()) == {1}
    assert {slot for slot, outcome in ended.items() if outcome == "synced"} == set(map(slot_of, life.answered))
    assert Counter(ended.values())["failed"] > 30 * 4

    days = [start.date() + timedelta(days=number) for number in range(14)]
    assert [day for day, _ in settled] == days
    assert [vars(record)["day"] for record in caplog.records if "day" in vars(record)] == list(map(str, days))
    for day, at in settled:
        good_at = next(began for began in life.answered if began >= ends_at(day))
        due = max(ends_at(day) + FIVE_PAST, good_at + timedelta(seconds=READ_SECONDS))
        assert timedelta(0) <= at - due <= timedelta(seconds=TICK_SECONDS_MAX), day
    late = [day for day, at in settled if at - ends_at(day) > timedelta(minutes=6)]
    assert {outage.since.date(), suspend.since.date()} < set(late)
    assert len(late) < len(days) / 2


def told_by(store: Path) -> tuple[dict[datetime, str], list[tuple[date, datetime]]]:
    """Return how each slot ended, and when each day was settled."""
    connection = sqlite3.connect(store)
    slots = connection.execute("SELECT slot, outcome FROM slots").fetchall()
    days = connection.execute("SELECT day, settled_at FROM settled_days ORDER BY day").fetchall()
    connection.close()
    ended = {datetime.fromisoformat(slot): outcome for slot, outcome in slots}
    return ended, [(date.fromisoformat(day), datetime.fromisoformat(at)) for day, at in days]


@pytest.mark.usefixtures("_in_new_york")
def test_a_quiet_day_is_97_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A quiet day logs a line for each of its 96 syncs and one for the settlement, after one for the start."""
    eve = datetime(2026, 3, 3, 23, 50, tzinfo=UTC)
    with time_machine.travel(eve.timestamp(), tick=False) as traveller, opened("sqlite", tmp_path) as ledger:
        life = Life(ledger, traveller, eve + timedelta(minutes=1), seed=1)
        life.chats = False
        life.live()
        traveller.move_to(eve + timedelta(minutes=10))
        life.now = datetime.now(UTC)
        life.until = eve + timedelta(minutes=9, days=1)
        with logged("info", as_json=False):
            life.live()
    first, *lines = capsys.readouterr().err.splitlines()
    assert "INFO started: " in first
    assert Counter(line.split()[2] for line in lines) == {"synced:": 96, "settled": 1}
    assert {line.split()[1] for line in lines} == {"INFO"}
    assert [line[:16] for line in lines if "settled" in line] == ["2026-03-04T00:05"]


START = datetime(2026, 3, 2, 9, 7, tzinfo=UTC)


class Ticks:
    """Records when a daemon runs, with a clock that moves by the daemon's waits."""

    def __init__(self, traveller: time_machine.Traveller, until: datetime) -> None:
        self.at: list[str] = []
        self.busy = 0
        self._traveller = traveller
        self._until = until

    def attend(self) -> RunReport:
        """Record a run, and report it as busy the first `busy` times."""
        now = datetime.now(UTC)
        self.at.append(f"{now:%H:%M:%S}")
        self.busy -= 1
        return RunReport(now, "busy" if self.busy >= 0 else "nothing")

    def wait(self, seconds: float) -> bool:
        """Let the time pass, and return whether the end has come."""
        self._traveller.shift(seconds)
        return datetime.now(UTC) >= self._until


def test_while_another_is_at_work_it_tries_again_every_minute() -> None:
    """While another process is at work, the daemon tries again every minute, and after that only once per slot."""
    with time_machine.travel(START.timestamp(), tick=False) as traveller:
        ticks = Ticks(traveller, START + timedelta(minutes=30))
        ticks.busy = 10
        Daemon(ticks.attend, ticks.wait, Systemd()).run()
    minutes = [f"09:{minute:02}:00" for minute in range(7, 16)]
    assert ticks.at == [*minutes, "09:15:00", "09:16:00", "09:30:00"]


def test_a_clock_that_is_set_back_delays_no_run() -> None:
    """Setting the clock back by half an hour makes the daemon plan its runs again, so it misses no slot."""
    with time_machine.travel(START.timestamp(), tick=False) as traveller:
        ticks = Ticks(traveller, START + timedelta(hours=1))

        def attend() -> RunReport:
            if len(ticks.at) == 2:
                traveller.shift(-timedelta(minutes=30).total_seconds())
            return ticks.attend()

        Daemon(attend, ticks.wait, Systemd()).run()
    assert ticks.at == ["09:07:00", "09:15:00", "09:00:00", "09:15:00", "09:30:00", "09:45:00", "10:00:00"]


def test_a_daemon_that_hangs_is_not_called_alive() -> None:
    """If a run hangs, the pings to systemd end, so that systemd restarts the daemon."""
    seconds = [0.0]

    def hang() -> None:
        (pinger,) = [thread for thread in enumerate_threads() if thread.name == "watchdog"]
        seconds[0] += HUNG_AFTER_SECONDS - 1
        pinger.join(0.1)
        assert pinger.is_alive()
        seconds[0] += 2
        pinger.join(SECONDS_MAX)
        assert not pinger.is_alive()

    systemd = Systemd(ping_seconds=0.01)
    Daemon(hang, lambda seconds: seconds > 0, systemd, monotonic=lambda: seconds[0]).run()
