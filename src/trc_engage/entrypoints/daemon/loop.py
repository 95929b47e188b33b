"""The daemon loop: wakes at every slot and at 00:05, runs what the store says is due, and survives every failure."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event, Thread
from typing import Self

from attrs import define, evolve, field, frozen
from schedule import Scheduler

from ...adapters.memory import MemoryLedger
from ...core.errors import EngageError
from ...core.incidents import FAILURES_MIN, UNNAMED, Trouble
from ...core.ports import Alerts, Clock
from ...core.reports import RunReport
from ...core.slots import SLOT, slot_of
from ...engage import Engage
from ...usecases.leases import Run
from ...usecases.notices import deliver
from ..settings import installed_version
from ..wording.alerts import describe_error


@frozen
class Systemd:
    """The notification socket of systemd (sd_notify), if it started this process."""

    address: str | None = None
    """Where systemd listens: a path, or '@' and a name; None sends nothing."""
    ping_seconds: float | None = None
    """How often to ping its watchdog."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables that systemd sets; those meant for another process are ignored."""
        watched_pid, microseconds = environ.get("WATCHDOG_PID", ""), environ.get("WATCHDOG_USEC", "")
        is_watched = microseconds.isdecimal() and watched_pid in {"", str(os.getpid())}
        return cls(environ.get("NOTIFY_SOCKET") or None, int(microseconds) / 2e6 if is_watched else None)

    def notify(self, *states: str) -> None:
        """Send states such as READY=1; an error in sending is ignored."""
        if self.address is None:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto("\n".join(states).encode(), address)

    @contextmanager
    def watchdog(self, is_alive: Callable[[], bool]) -> Iterator[None]:
        """Ping from a thread while `is_alive` holds; without pings systemd restarts the service."""
        if self.ping_seconds is None:
            yield
            return
        over = Event()
        pinger = Thread(target=self._ping, args=[over, is_alive, self.ping_seconds], name="watchdog", daemon=True)
        pinger.start()
        try:
            yield
        finally:
            over.set()
            pinger.join()

    def _ping(self, over: Event, is_alive: Callable[[], bool], seconds: float) -> None:
        while is_alive():
            self.notify("WATCHDOG=1")
            if over.wait(seconds):
                return


MINUTES = (":00", ":15", ":30", ":45")
MINUTES_OF_ROSTER = tuple(f":{minute:02}" for minute in range(0, 60, 5))
"""Rounds of the roster are short, so its questions are spread over more of them."""
SETTLES_AT = "00:05"
BUSY_SECONDS = 60
WAIT_SECONDS_MAX = 30.0
"""A suspend moves the clock forward, but does not shorten a wait."""
HUNG_AFTER_SECONDS = 90 * 60
"""Longer than the longest read: 2,000 pages, two to three seconds apart."""
AGAIN = "again"

logger: logging.Logger = logging.getLogger(__name__)


@define(eq=False)
class Daemon:
    """Calls `run` at once and then on every tick, until `wait` returns True.

    `run` must not raise. `wait` waits so many seconds and returns whether to end. If another process is at work, the
    daemon tries again after `busy_seconds`.
    """

    _run: Callable[[], RunReport | None]
    _wait: Callable[[float], bool]
    _systemd: Systemd
    _busy_seconds: int = BUSY_SECONDS
    _monotonic: Callable[[], float] = time.monotonic
    _minutes: Sequence[str] = MINUTES
    _scheduler: Scheduler = field(factory=Scheduler, init=False)
    _seen_at: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._seen_at = self._monotonic()

    def run(self) -> None:
        """Run until asked to stop."""
        use_utc()
        self._plan()
        logger.info(
            "started: trc-engage %s syncs at %s and settles at %s UTC",
            installed_version(),
            " ".join(MINUTES),
            SETTLES_AT,
        )
        # The first read may take minutes, and systemd waits for the service to be ready.
        self._systemd.notify("READY=1")
        with self._systemd.watchdog(self.is_alive):
            self._tick()
            while not self._wait(self._seconds()):
                self._scheduler.run_pending()
        self._systemd.notify("STOPPING=1")

    def is_alive(self) -> bool:
        """Return whether the loop has moved within the time of the longest read."""
        return self._monotonic() - self._seen_at < HUNG_AFTER_SECONDS

    def _plan(self) -> None:
        self._scheduler.clear()
        for minute in self._minutes:
            self._scheduler.every().hour.at(minute).do(self._tick)
        self._scheduler.every().day.at(SETTLES_AT).do(self._tick)

    def _tick(self) -> None:
        if self._wait(0):
            return
        self._seen_at = self._monotonic()
        self._systemd.notify("STATUS=at work")
        report = self._run()
        self._systemd.notify(f"STATUS={_status(report)}")
        if report is not None and report.outcome == "busy" and not self._scheduler.get_jobs(AGAIN):
            # The other process may be killed, and then the slot is still open.
            self._scheduler.every(self._busy_seconds).seconds.do(self._tick_again).tag(AGAIN)

    def _tick_again(self) -> None:
        self._scheduler.clear(AGAIN)
        self._tick()

    def _seconds(self) -> float:
        """Return how long to wait, and note that the loop is alive."""
        self._seen_at = self._monotonic()
        idle = self._scheduler.idle_seconds or 0.0
        if idle > SLOT.total_seconds():
            # The clock was set back, so the next tick lies too far ahead.
            self._plan()
        return min(max(idle, 0.0), WAIT_SECONDS_MAX)


def use_utc() -> None:
    """Set the local time zone to UTC, the only one that `schedule` is meant to see."""
    os.environ["TZ"] = "UTC"
    time.tzset()


def _status(report: RunReport | None) -> str:
    if report is None:
        return "idle; the last run failed, see the log"
    return f"idle; the run of {report.at:%H:%M} UTC: {report.outcome}"


@define(eq=False)
class StoreIncident:
    """Counts slots in a row whose run failed, which a failing store cannot count itself (R20).

    Kept in memory, so another process starts at zero.
    """

    _channels: Sequence[Alerts]
    _source_name: str = UNNAMED
    _slot: datetime | None = field(default=None, init=False)
    _trouble: Trouble | None = field(default=None, init=False)
    """The current trouble, from the first failure on."""
    _run: Run = field(factory=lambda: Run(MemoryLedger()), init=False)
    """Records the notices sent, in a store in memory."""

    def failed(self, error: Exception, now: datetime) -> None:
        """Count a failure, at most one per slot; the third in a row sends an alert."""
        trouble = self._trouble or Trouble("store", now, source_name=self._source_name)
        self._trouble = evolve(trouble, error=error, count=trouble.count + (slot_of(now) != self._slot))
        self._slot = slot_of(now)
        self._notify(now)

    def ended(self, now: datetime) -> None:
        """Note a run that succeeded."""
        self._slot = self._trouble = None
        self._notify(now)

    def _notify(self, now: datetime) -> None:
        lasting = [self._trouble] if self._trouble and self._trouble.count >= FAILURES_MIN else []
        deliver(self._run, self._channels, lasting, lambda: now, self._source_name)


class Monitor:
    """Receives runs and errors, as Sentry does; this one does nothing."""

    def check_in(self, report: RunReport, /) -> None:
        """Report how a run ended."""

    def capture(self, error: BaseException, /) -> None:
        """Report an unexpected error."""


class Supervisor:
    """Runs what is due; `run` logs every failure and raises none.

    `on_good` is called after each slot that was synced, but not after one that waited or failed.
    """

    def __init__(
        self,
        engage: Engage,
        channels: Sequence[Alerts],
        clock: Clock,
        *monitors: Monitor,
        on_good: Callable[[], None] = lambda: None,
    ) -> None:
        self._engage = engage
        self._incident = StoreIncident(channels, engage.source_name)
        self._clock = clock
        self._monitors = monitors
        self._on_good = on_good

    def run_once(self) -> RunReport:
        """Run what is due; raises what `Engage.run_due` raises."""
        report = self._engage.run_due()
        for monitor in self._monitors:
            monitor.check_in(report)
        if report.outcome == "synced":
            self._on_good()
        return report

    def run(self) -> RunReport | None:
        """Run what is due; return None if that failed."""
        try:
            report = self.run_once()
        except Exception as error:
            self._log(error)
            self._incident.failed(error, self._clock())
            return None
        if report.outcome != "busy":
            self._incident.ended(self._clock())
        elif report.error is not None and report.error.__cause__ is not None:
            # The store itself is busy, not another run, as while a server starts; this may pass or last.
            logger.warning("the run was put off: %s", report.error)
            self._incident.failed(report.error, self._clock())
        return report

    def _log(self, error: Exception) -> None:
        """Log one line; any error but an `EngageError` is a bug, and is logged with its traceback."""
        if isinstance(error, EngageError):
            logger.error("the run failed: %s", describe_error(error))
            return
        logger.error("the run broke off, which is a bug: %s", type(error).__name__, exc_info=error)
        for monitor in self._monitors:
            monitor.capture(error)
