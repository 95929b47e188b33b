"""MEE6 XP becomes points on an append-only ledger, exactly once.

Start at `Engage`; bring a ledger and a source from `trc_engage.adapters`, or your own.
"""

from .core.errors import (
    ClockWentBack,
    EngageError,
    InvalidValue,
    LedgerBusy,
    LedgerFailed,
    LinkTaken,
    Moved,
    NotLinked,
    ReadStopped,
    SourceError,
    SourceMissing,
    UnknownMember,
)
from .core.model import Board, DiscordActivity, DiscordStanding, Entry, Member, Sought, Standing, XpChange
from .core.reports import Enrolment, SyncReport
from .engage import Engage
from .posting.enrolling import Newcomer

__all__ = [
    "Board",
    "ClockWentBack",
    "DiscordActivity",
    "DiscordStanding",
    "Engage",
    "EngageError",
    "Enrolment",
    "Entry",
    "InvalidValue",
    "LedgerBusy",
    "LedgerFailed",
    "LinkTaken",
    "Member",
    "Moved",
    "Newcomer",
    "NotLinked",
    "ReadStopped",
    "Sought",
    "SourceError",
    "SourceMissing",
    "Standing",
    "SyncReport",
    "UnknownMember",
    "XpChange",
]
