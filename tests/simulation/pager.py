"""The admin's channel."""

from datetime import datetime

from trc_engage.core.errors import AlertFailed
from trc_engage.core.incidents import Notice

from .clock import Clock
from .weather import Weather


class Pager:
    """Keeps what it was sent."""

    channel = "pager"

    def __init__(self, clock: Clock, weather: Weather) -> None:
        self._clock = clock
        self._weather = weather
        self.heard: list[tuple[datetime, Notice]] = []

    def send(self, notice: Notice, /) -> None:
        """Take a notice, unless it is out of order."""
        if self._weather.strikes("deaf"):
            raise AlertFailed("the pager is out of order")
        self.heard.append((self._clock(), notice))
