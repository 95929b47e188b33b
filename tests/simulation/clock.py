"""Time: it stands until somebody moves it, and a machine may tell it wrongly."""

from datetime import datetime, timedelta


class Clock:
    """The world's time, and what this deployment's machines take it for."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        """What time it is."""
        self.error = timedelta(0)
        """How far the machines' clocks are ahead."""
        self.told_at = at
        """What the machines were told last."""
        self._seconds = 0.0

    def __call__(self) -> datetime:
        """Tell the machines' time."""
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
        """Let time pass until an instant; one that is over has been slept through."""
        self.sleep(max((at - self.at).total_seconds(), 0.0))


def slot_of(at: datetime) -> datetime:
    """Return the quarter of an hour that an instant lies in."""
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
