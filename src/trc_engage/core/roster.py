"""Who is on the server, as a roster tells it, and what follows from that (R25)."""

from datetime import datetime, timedelta
from typing import Literal

from attrs import frozen

PresenceKind = Literal["present", "gone", "unknown"]


@frozen
class Presence:
    """What a roster tells of one Discord id."""

    kind: PresenceKind
    joined_at: datetime | None = None
    """Since when somebody present is there, as far as it is told."""
    why: str = ""
    """Why it is unknown, in words that name nobody."""
    wait: timedelta | None = None
    """For how long nobody is to be asked after this answer."""
