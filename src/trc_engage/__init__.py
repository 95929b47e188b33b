"""MEE6 XP becomes points on an append-only ledger, exactly once.

Start at `Engage`; bring a ledger and a source from `trc_engage.adapters`, or your own. The names
below are loaded when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core.audit.breaches import Audit, Breach, Change, Repair
    from .core.entries import Entry, Evidence, XpChange
    from .core.errors import (
        AlertFailed,
        ClaimLost,
        ClockWentBack,
        EngageError,
        InvalidValue,
        KeptAway,
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
        StoreMissing,
        UnknownAward,
        UnknownMember,
    )
    from .core.health import Status, Tally
    from .core.incidents import Notice, Trouble
    from .core.model import Board, DiscordActivity, Link, Member, Sought
    from .core.reports import Enrolment, ExcuseReport, Receipt, RunReport, SettleReport, StreakChange, SyncReport
    from .core.settling import Pending
    from .core.slots import SlotEnd
    from .core.streaks import Milestone, StreakStanding
    from .core.views import DiscordStanding, Found, MemberDay, Rank, Standing
    from .engage import Engage
    from .posting.enrolling import Newcomer
    from .reading import Reader

_HOMES = {
    "core.audit.breaches": ("Audit", "Breach", "Change", "Repair"),
    "core.entries": ("Entry", "Evidence", "XpChange"),
    "core.errors": (
        "AlertFailed",
        "ClaimLost",
        "ClockWentBack",
        "EngageError",
        "InvalidValue",
        "KeptAway",
        "KeyReused",
        "LedgerBusy",
        "LedgerFailed",
        "LinkTaken",
        "Moved",
        "NotLinked",
        "ReadStopped",
        "Reversed",
        "SourceError",
        "SourceMissing",
        "StoreMissing",
        "UnknownAward",
        "UnknownMember",
    ),
    "core.health": ("Status", "Tally"),
    "core.incidents": ("Notice", "Trouble"),
    "core.model": ("Board", "DiscordActivity", "Link", "Member", "Sought"),
    "core.reports": ("Enrolment", "ExcuseReport", "Receipt", "RunReport", "SettleReport", "StreakChange", "SyncReport"),
    "core.settling": ("Pending",),
    "core.slots": ("SlotEnd",),
    "core.streaks": ("Milestone", "StreakStanding"),
    "core.views": ("DiscordStanding", "Found", "MemberDay", "Rank", "Standing"),
    "engage": ("Engage",),
    "posting.enrolling": ("Newcomer",),
    "reading": ("Reader",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AlertFailed",
    "Audit",
    "Board",
    "Breach",
    "Change",
    "ClaimLost",
    "ClockWentBack",
    "DiscordActivity",
    "DiscordStanding",
    "Engage",
    "EngageError",
    "Enrolment",
    "Entry",
    "Evidence",
    "ExcuseReport",
    "Found",
    "InvalidValue",
    "KeptAway",
    "KeyReused",
    "LedgerBusy",
    "LedgerFailed",
    "Link",
    "LinkTaken",
    "Member",
    "MemberDay",
    "Milestone",
    "Moved",
    "Newcomer",
    "NotLinked",
    "Notice",
    "Pending",
    "Rank",
    "ReadStopped",
    "Reader",
    "Receipt",
    "Repair",
    "Reversed",
    "RunReport",
    "SettleReport",
    "SlotEnd",
    "Sought",
    "SourceError",
    "SourceMissing",
    "Standing",
    "Status",
    "StoreMissing",
    "StreakChange",
    "StreakStanding",
    "SyncReport",
    "Tally",
    "Trouble",
    "UnknownAward",
    "UnknownMember",
    "XpChange",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value
