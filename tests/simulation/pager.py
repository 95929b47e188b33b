"""The admin's channel: a webhook that may be deaf, slow, rate-limited or gone for good (R20)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from attrs import frozen

from trc_engage.core.errors import AlertFailed
from trc_engage.core.incidents import Notice

from .clock import Clock
from .coverage import ANSWERS
from .weather import Weather

Answer = Literal["taken", "refused", "unknown", "gone", "limited", "all limited"]
"""What a sender learns; `unknown` if no answer came, and with the limited ones how long to wait."""


@frozen
class Attempt:
    """One attempt to send a notice."""

    at: datetime
    notice: Notice
    address: str
    answer: Answer
    arrived: bool
    wait: timedelta | None = None


class Pager:
    """Keeps a record of every attempt."""

    channel = "pager"

    def __init__(self, clock: Clock, weather: Weather, meets: Callable[[str], None]) -> None:
        self._clock = clock
        self._meets = meets
        self._weather = weather
        self.attempts: list[Attempt] = []
        self.number = 0
        """The number of its address: a new one each time the last was deleted."""
        self.is_gone = False

    @property
    def fingerprint(self) -> str:
        """The stand-in for the fingerprint of its address."""
        return f"address {self.number}"

    def delete(self) -> None:
        """Delete its address for good."""
        self.is_gone = True

    def renew(self) -> None:
        """Give it another address."""
        self.number += 1
        self.is_gone = False

    def send(self, notice: Notice, /) -> None:
        """Take a notice, unless a fault prevents it."""
        answer, arrived, wait = self._answer()
        self.attempts.append(Attempt(self._clock(), notice, self.fingerprint, answer, arrived, wait))
        if answer != "taken":
            self._meets(ANSWERS[answer])
            raise AlertFailed(
                f"the pager: {answer}",
                may_have_arrived=answer == "unknown",
                is_gone=answer == "gone",
                retry_after=wait,
                is_for_all=answer == "all limited",
            )

    def _answer(self) -> tuple[Answer, bool, timedelta | None]:
        if self.is_gone:
            return "gone", False, None
        if self._weather.strikes("deaf"):
            return "refused", False, None
        trouble = self._weather.strikes("webhook")
        if trouble is None:
            return "taken", True, None
        match trouble.troubles[0]:
            case "slow":
                return "unknown", True, None
            case "lost":
                return "unknown", False, None
            case "limited":
                return "limited", False, timedelta(seconds=trouble.number)
            case _:
                return "all limited", False, timedelta(seconds=trouble.number)
