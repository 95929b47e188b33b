"""MEE6 XP becomes points on an append-only ledger, exactly once.

Start at `Engage`; bring a ledger and a source from `trc_engage.adapters`, or your own.
"""

from .core.entries import Entry, Evidence, XpChange
from .core.errors import (
    ClockWentBack,
    EngageError,
    InvalidValue,
    KeyReused,
    LedgerBusy,
    LedgerFailed,
    LinkTaken,
    Moved,
    NotLinked,
    ReadStopped,
    Reversed,
    SourceError,
    SourceMissing,
    UnknownAward,
    UnknownMember,
)
from .core.model import Board, DiscordActivity, Member, Sought
from .core.reports import Enrolment, ExcuseReport, Receipt, SettleReport, SyncReport
from .core.settling import Pending
from .core.streaks import Milestone, StreakChange, StreakStanding
from .core.views import DiscordStanding, MemberDay, Rank, Standing
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
    "Evidence",
    "ExcuseReport",
    "InvalidValue",
    "KeyReused",
    "LedgerBusy",
    "LedgerFailed",
    "LinkTaken",
    "Member",
    "MemberDay",
    "Milestone",
    "Moved",
    "Newcomer",
    "NotLinked",
    "Pending",
    "Rank",
    "ReadStopped",
    "Receipt",
    "Reversed",
    "SettleReport",
    "Sought",
    "SourceError",
    "SourceMissing",
    "Standing",
    "StreakChange",
    "StreakStanding",
    "SyncReport",
    "UnknownAward",
    "UnknownMember",
    "XpChange",
]
