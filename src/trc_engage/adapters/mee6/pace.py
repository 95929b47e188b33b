"""How often and how long: the gap between requests, and the time that those of one read may take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from attrs import define, field

JITTER_SHARE = 0.25


@define(eq=False)
class Pace:
    """Keeps requests apart: at least `gap` seconds from the end of one to the start of the next (R21)."""

    gap: float
    pause: Callable[[float], object]
    monotonic: Callable[[], float]
    random: Random
    _free_at: float | None = field(default=None, init=False)

    def await_turn(self) -> None:
        """Pause until the next request may start; the very first may at once."""
        if self._free_at is None:
            return
        seconds = self._free_at - self.monotonic()
        if seconds > 0:
            self.pause(seconds)

    def rest(self) -> None:
        """Note that a request has ended."""
        self._free_at = self.monotonic() + self.jittered(self.gap)

    def back_off(self, seconds: float) -> None:
        """Put the next request off, beyond the gap if need be."""
        self._free_at = max(self._free_at or 0.0, self.monotonic() + seconds)

    def beyond_gap(self, seconds: float) -> float:
        """Return how many of the next seconds come after the gap that is kept anyway."""
        now = self.monotonic()
        return max(now + seconds - max(self._free_at or 0.0, now), 0.0)

    def jittered(self, seconds: float) -> float:
        """Return so many seconds or up to a quarter more, so that deployments do not march in step."""
        return seconds * (1 + JITTER_SHARE * self.random.random())


@define(eq=False)
class Budget:
    """The seconds that all requests of one read may take together; the gaps between them are free."""

    total: float
    monotonic: Callable[[], float]
    _spent: float = field(default=0.0, init=False)
    _since: float | None = field(default=None, init=False)

    @property
    def left(self) -> float:
        """Seconds left, negative when overdrawn."""
        since = self._since
        running = 0.0 if since is None else self.monotonic() - since
        return self.total - self._spent - running

    def charge(self, seconds: float) -> None:
        """Take seconds away that are no gap."""
        self._spent += seconds

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time within."""
        started = self._since = self.monotonic()
        try:
            yield
        finally:
            # In this order, because a watchdog looks on from its own thread.
            self._since = None
            self._spent += self.monotonic() - started
