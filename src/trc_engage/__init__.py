"""MEE6 XP becomes points on an append-only ledger, exactly once.

Start at `Engage`; bring a ledger and a source from `trc_engage.adapters`, or your own. The names
below are loaded when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core.audit.model import Audit, Breach, Change, Repair
    from .core.days import SlotEnd
    from .core.errors import (
        AlertFailed,
        ClockWentBack,
        Conflict,
        EngageError,
        InvalidValue,
        KeptAway,
        KeyReused,
        LeaseLost,
        LedgerBusy,
        LedgerFailed,
        LinkTaken,
        NotLinked,
        ReadStopped,
        Reversed,
        SourceError,
        SourceMissing,
        StoreMissing,
        UnknownAward,
        UnknownMember,
    )
    from .core.incidents import Notice, Trouble
    from .core.model import Board, DiscordActivity, Entry, Evidence, Link, Member, Sought, XpChange
    from .core.reports import (
        DiscordStanding,
        Enrolment,
        ExcuseReport,
        Found,
        MemberDay,
        Rank,
        Receipt,
        RunReport,
        SettleReport,
        Standing,
        StreakChange,
        SyncReport,
        Tally,
    )
    from .core.settlement import Pending
    from .core.streaks import Milestone, StreakStanding
    from .engage import Engage
    from .reader import Reader
    from .usecases.members import Newcomer
    from .usecases.runs import Status

_HOMES = {
    "core.audit.model": ("Audit", "Breach", "Change", "Repair"),
    "core.days": ("SlotEnd",),
    "core.errors": (
        "AlertFailed",
        "LeaseLost",
        "ClockWentBack",
        "EngageError",
        "InvalidValue",
        "KeptAway",
        "KeyReused",
        "LedgerBusy",
        "LedgerFailed",
        "LinkTaken",
        "Conflict",
        "NotLinked",
        "ReadStopped",
        "Reversed",
        "SourceError",
        "SourceMissing",
        "StoreMissing",
        "UnknownAward",
        "UnknownMember",
    ),
    "core.incidents": ("Notice", "Trouble"),
    "core.model": ("Board", "DiscordActivity", "Entry", "Evidence", "Link", "Member", "Sought", "XpChange"),
    "core.reports": (
        "DiscordStanding",
        "Enrolment",
        "ExcuseReport",
        "Found",
        "MemberDay",
        "Rank",
        "Receipt",
        "RunReport",
        "SettleReport",
        "Standing",
        "StreakChange",
        "SyncReport",
        "Tally",
    ),
    "core.settlement": ("Pending",),
    "core.streaks": ("Milestone", "StreakStanding"),
    "engage": ("Engage",),
    "reader": ("Reader",),
    "usecases.members": ("Newcomer",),
    "usecases.runs": ("Status",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AlertFailed",
    "Audit",
    "Board",
    "Breach",
    "Change",
    "ClockWentBack",
    "Conflict",
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
    "LeaseLost",
    "LedgerBusy",
    "LedgerFailed",
    "Link",
    "LinkTaken",
    "Member",
    "MemberDay",
    "Milestone",
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
