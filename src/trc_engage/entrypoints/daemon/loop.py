"""The daemon: a tick at every slot and at 00:05; what is due is decided by the store. systemd is kept informed."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Self

from attrs import frozen
from schedule import Scheduler

from ...core.days import SLOT
from ...core.reports import RunReport
from ..settings import installed_version


@frozen
class Systemd:
    """The supervisor, or nobody."""

    address: str | None = None
    """Where it listens: a path, or '@' and a name."""
    ping_seconds: float | None = None
    """How often it wants to hear that all is well."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read what it put into the environment; what it meant for another process is left alone."""
        watched_pid, microseconds = environ.get("WATCHDOG_PID", ""), environ.get("WATCHDOG_USEC", "")
        is_watched = microseconds.isdecimal() and watched_pid in {"", str(os.getpid())}
        return cls(environ.get("NOTIFY_SOCKET") or None, int(microseconds) / 2e6 if is_watched else None)

    def tell(self, *states: str) -> None:
        """Send states such as READY=1; that nobody hears is no reason to end."""
        if self.address is None:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as post:
            post.sendto("\n".join(states).encode(), address)

    @contextmanager
    def watching(self, is_alive: Callable[[], bool]) -> Iterator[None]:
        """Ping from a thread within this block; once all is not well no more, so that it restarts the service."""
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
            self.tell("WATCHDOG=1")
            if over.wait(seconds):
                return


MINUTES = (":00", ":15", ":30", ":45")
SETTLES_AT = "00:05"
BUSY_SECONDS = 60
WAIT_SECONDS_MAX = 30.0
"""After a suspend the clock has leapt, and a wait has not."""
HUNG_AFTER_SECONDS = 90 * 60
"""Longer than the longest read: 2,000 pages, two to three seconds apart."""
AGAIN = "again"

logger = logging.getLogger(__name__)


class Daemon:
    """Runs what is due, at once and then on every tick, until `wait` says to end.

    `attend` lets no failure out. `wait` waits for so many seconds and tells whether a stop was asked for.
    If somebody else is at work, it is tried again after `busy_seconds`.
    """

    def __init__(
        self,
        attend: Callable[[], RunReport | None],
        wait: Callable[[float], bool],
        systemd: Systemd,
        busy_seconds: int = BUSY_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attend = attend
        self._wait = wait
        self._systemd = systemd
        self._busy_seconds = busy_seconds
        self._scheduler = Scheduler()
        self._monotonic = monotonic
        self._seen_at = monotonic()

    def live(self) -> None:
        """Attend until a stop is asked for."""
        use_utc()
        self._plan()
        logger.info(
            "started: trc-engage %s syncs at %s and settles at %s UTC",
            installed_version(),
            " ".join(MINUTES),
            SETTLES_AT,
        )
        # The first read may take minutes, and whoever started this waits for it to be ready.
        self._systemd.tell("READY=1")
        with self._systemd.watching(self._is_alive):
            self._tick()
            while not self._wait(self._seconds()):
                self._scheduler.run_pending()
        self._systemd.tell("STOPPING=1")

    def _is_alive(self) -> bool:
        return self._monotonic() - self._seen_at < HUNG_AFTER_SECONDS

    def _plan(self) -> None:
        self._scheduler.clear()
        for minute in MINUTES:
            self._scheduler.every().hour.at(minute).do(self._tick)
        self._scheduler.every().day.at(SETTLES_AT).do(self._tick)

    def _tick(self) -> None:
        if self._wait(0):
            return
        self._seen_at = self._monotonic()
        self._systemd.tell("STATUS=at work")
        report = self._attend()
        self._systemd.tell(f"STATUS={_status(report)}")
        if report is not None and report.outcome == "busy" and not self._scheduler.get_jobs(AGAIN):
            # Whoever is at work may be killed: the slot is still open then.
            self._scheduler.every(self._busy_seconds).seconds.do(self._tick_again).tag(AGAIN)

    def _tick_again(self) -> None:
        self._scheduler.clear(AGAIN)
        self._tick()

    def _seconds(self) -> float:
        """Return how long to wait, and note that all is well."""
        self._seen_at = self._monotonic()
        idle = self._scheduler.idle_seconds or 0.0
        if idle > SLOT.total_seconds():
            # The clock was set back: what was planned under the old one lies too far ahead.
            self._plan()
        return min(max(idle, 0.0), WAIT_SECONDS_MAX)


def use_utc() -> None:
    """Let local time be UTC, for the schedule knows no other."""
    os.environ["TZ"] = "UTC"
    time.tzset()


def _status(report: RunReport | None) -> str:
    if report is None:
        return "idle; the last run failed, see the log"
    return f"idle; the run of {report.at:%H:%M} UTC: {report.outcome}"
