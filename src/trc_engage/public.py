"""The only list of the package's public names; `trc_engage` loads them on first use."""

from .core.audit import Audit as Audit, Breach as Breach, Repair as Repair
from .core.boards import Board as Board, Sought as Sought
from .core.errors import (
    AlertFailed as AlertFailed,
    AmbiguousMember as AmbiguousMember,
    ClockError as ClockError,
    ClockLeapt as ClockLeapt,
    ClockWentBack as ClockWentBack,
    Conflict as Conflict,
    EngageError as EngageError,
    InvalidValue as InvalidValue,
    KeptAway as KeptAway,
    KeyReused as KeyReused,
    LeaseLost as LeaseLost,
    LedgerBusy as LedgerBusy,
    LedgerFailed as LedgerFailed,
    LinkTaken as LinkTaken,
    NotLinked as NotLinked,
    OnEventLoop as OnEventLoop,
    ReadStopped as ReadStopped,
    Reversed as Reversed,
    RosterError as RosterError,
    RosterMissing as RosterMissing,
    SourceError as SourceError,
    SourceMissing as SourceMissing,
    StoreMissing as StoreMissing,
    StoreOutdated as StoreOutdated,
    UnknownAward as UnknownAward,
    UnknownMember as UnknownMember,
)
from .core.incidents import Notice as Notice, Trouble as Trouble
from .core.model import (
    DiscordActivity as DiscordActivity,
    Entry as Entry,
    Evidence as Evidence,
    Link as Link,
    Member as Member,
    XpChange as XpChange,
)
from .core.records import (
    Check as Check,
    Excusal as Excusal,
    MembershipEvent as MembershipEvent,
    TraceArguments as TraceArguments,
)
from .core.reports import (
    ClockReport as ClockReport,
    DiscordStanding as DiscordStanding,
    Enrollment as Enrollment,
    ExcuseReport as ExcuseReport,
    Explanation as Explanation,
    Found as Found,
    MemberDay as MemberDay,
    Rank as Rank,
    Receipt as Receipt,
    ReconcileReport as ReconcileReport,
    RosterReport as RosterReport,
    RunReport as RunReport,
    SettleReport as SettleReport,
    Standing as Standing,
    StreakChange as StreakChange,
    SyncReport as SyncReport,
    Tally as Tally,
)
from .core.roster import Presence as Presence
from .core.settlement import Pending as Pending
from .core.slots import SlotEnd as SlotEnd
from .core.story import Story as Story, Why as Why
from .core.streaks import Milestone as Milestone, StreakStanding as StreakStanding
from .engage import Engage as Engage
from .reader import Reader as Reader
from .usecases.members import Newcomer as Newcomer
from .usecases.runs import Status as Status
