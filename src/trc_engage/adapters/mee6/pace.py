"""How often and how long: the gap between requests, and the time that those of one read may take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from attrs import define, field

from ...core.ports import Requests

JITTER_SHARE = 0.25


@define(eq=False)
class Pace:
    """Keeps requests apart: at least `gap` seconds from the end of one to the start of the next (R21)."""

    gap: float
    pause: Callable[[float], object]
    monotonic: Callable[[], float]
    random: Random
    requests: Requests | None = field(default=None, init=False)
    """Whom to ask for a turn while other processes may have had theirs; None if there are none."""
    _free_at: float | None = field(default=None, init=False)

    def await_turn(self) -> None:
        """Pause until the next request may start; the very first of all processes may at once."""
        seconds = max(self._seconds_left(), self._ask())
        if seconds > 0:
            self.pause(seconds)
            # A machine that was suspended meanwhile may have been replaced by another.
            self._ask()

    def rest(self) -> None:
        """Note that a request has ended."""
        self._stay_away(self.jittered(self.gap))

    def back_off(self, seconds: float) -> None:
        """Put the next request off, beyond the gap if need be."""
        self._stay_away(max(self._seconds_left(), seconds))

    def _ask(self) -> float:
        return 0.0 if self.requests is None else self.requests.seconds_until_free(self.gap * (1 + JITTER_SHARE))

    def _seconds_left(self) -> float:
        return 0.0 if self._free_at is None else self._free_at - self.monotonic()

    def _stay_away(self, seconds: float) -> None:
        self._free_at = self.monotonic() + seconds
        if self.requests is not None:
            self.requests.ended(seconds)

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
