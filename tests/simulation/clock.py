"""Time: it stands still until the simulation moves it, and a machine's clock may be wrong."""

from datetime import datetime, timedelta


class Clock:
    """The world's time, and the time shown by this deployment's machines."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        """The true time."""
        self.error = timedelta(0)
        """How far the machines' clocks are ahead."""
        self.told_at = at
        """The last time that the machines were given."""
        self._seconds = 0.0

    def __call__(self) -> datetime:
        """Return the machines' time."""
        self.told_at = self.at + self.error
        return self.told_at

    def monotonic(self) -> float:
        """Return seconds that no step of the clock changes."""
        return self._seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._seconds += seconds
        self.at += timedelta(seconds=seconds)

    def until(self, at: datetime) -> None:
        """Let time pass until an instant; do nothing if it has already passed."""
        self.sleep(max((at - self.at).total_seconds(), 0.0))


def slot_of(at: datetime) -> datetime:
    """Return the start of the quarter of an hour that contains an instant."""
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
