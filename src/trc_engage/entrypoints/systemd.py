"""What systemd is told, if it asks: ready, how it goes, stopping, still alive (sd_notify(3))."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Self

from attrs import frozen


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
