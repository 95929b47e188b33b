"""Channels to admins: which of them take nothing any more, and which are to be left alone for a while (R20)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import frozen

from .errors import AlertFailed

WAIT_MIN = timedelta(seconds=1)
WAIT_MAX = timedelta(hours=24)
"""As long as a reminder waits: whoever asks for more is asked again once a day."""
CLOCK_SLACK = timedelta(minutes=2)


@frozen
class ChannelState:
    """What is remembered of a channel's address."""

    channel: str
    fingerprint: str
    """Stands for the address, which may be a secret; empty for all addresses of the channel's name."""
    dead_since: datetime | None = None
    """When it was found to take nothing any more: it is not used again until the address is another."""
    not_before: datetime | None = None
    """Until when it asked to be left alone."""
    why: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether nothing need be remembered."""
        return self.dead_since is None and self.not_before is None

    def is_shut(self, now: datetime) -> bool:
        """Tell whether nothing is to be sent; what was noted under a clock that ran ahead shuts nothing."""
        if self.dead_since is not None:
            return True
        return self.not_before is not None and now < self.not_before <= now + WAIT_MAX + CLOCK_SLACK


def state_of(states: Iterable[ChannelState], channel: str, fingerprint: str, now: datetime) -> ChannelState | None:
    """Return why nothing is to be sent to a channel now; None if it may be."""
    mine = [one for one in states if one.channel == channel and one.fingerprint in {fingerprint, ""}]
    return next((one for one in mine if one.is_shut(now)), None)


def after_failure(channel: str, fingerprint: str, error: AlertFailed, now: datetime) -> ChannelState | None:
    """Return what is to be remembered of a channel that did not take a notice; None if nothing is.

    One without a fingerprint is never given up, for nobody could tell when it is another.
    """
    if error.is_gone and fingerprint:
        return ChannelState(channel, fingerprint, dead_since=now, why=str(error))
    if error.retry_after is None:
        return None
    wait = min(max(error.retry_after, WAIT_MIN), WAIT_MAX)
    return ChannelState(channel, "" if error.is_for_all else fingerprint, not_before=now + wait, why=str(error))
