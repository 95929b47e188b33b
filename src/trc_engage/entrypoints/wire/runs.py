"""Shapes of syncs, settlements and runs, and of the status, audits and imports."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self, get_args

from ...core import audit, incidents, model, posting, records, roster, slots
from ...core.errors import ClockError, EngageError, LedgerBusy, LedgerFailed, RosterError, SourceError
from ...core.model import Status as AccountStatus
from ...core.reports import COUNTS, ClockReport, ExcuseReport, ReconcileReport, RosterReport, SyncReport
from ..settings import InForce, SettingsError
from ..wording.alerts import advice_of, describe_error, describe_failures, describe_pending, why_of, why_shut
from .members import StreakChange
from .shape import Shape, Shown


class Outcome(Shape):
    """How something ended."""

    outcome: str


class Pending(Shape):
    """A day that is over but not settled yet."""

    day: date
    cause: str
    why: Annotated[str, Shown(of=describe_pending)]


class Settled(Shape):
    """Which days were settled, and which are pending."""

    settled: Sequence[date]
    pending: Sequence[Pending]


class Excused(Shape, core=ExcuseReport, fields="outcome member_id days unchanged"):
    """The outcome of excusing days, or of requiring them again."""

    outcome: str
    member_id: Annotated[str | None, Shown("The only member it applies to; null for everybody.")]
    days: Annotated[Sequence[date], Shown("The days that changed.")]
    late: Sequence[StreakChange]


class Excusal(Shape, core=records.Excusal, fields="day member_id at by=actor reason"):
    """An excused day, for admins."""

    member_id: Annotated[str | None, Shown("The only member it applies to; null for everybody.")]
    note: Annotated[str | None, Shown("For admins only.")]


class ExcusalRow(Shape, core=records.Excusal, fields="number day is_excused member_id at by=actor reason note"):
    """A day that was excused, or required again, in an export."""


class Excusals(Shape):
    """The excused days, oldest first."""

    excusals: Sequence[Excusal]


class Move(
    Shape,
    core=model.Move,
    fields="member_id=account.member_id kind points xp_before=account.xp_total xp_after=xp_total",
):
    """What a sync would do to an account."""


def _is_planned(report: SyncReport) -> bool:
    return report.outcome == "planned"


class Synced(Outcome, core=SyncReport, fields=f"{' '.join(COUNTS)} points pages rows taken_at"):
    """What a sync did, or would do."""

    late: Sequence[StreakChange]
    dry_run: Annotated[bool, Shown(of=_is_planned)]
    moves: Annotated[Sequence[Move] | None, Shown(of=lambda sync: sync.moves if _is_planned(sync) else None)] = None
    """What would be posted; only in a dry run."""


KINDS: tuple[tuple[type[EngageError], str], ...] = (
    (ClockError, "clock"),
    (LedgerFailed, "store"),
    (LedgerBusy, "busy"),
    (SettingsError, "configuration"),
    (EngageError, "invalid"),
)
"""The kinds of failures that do not come from the source."""


class Failure(Shape):
    """Why a sync failed."""

    kind: str
    message: str
    retry_at: datetime | None

    @classmethod
    def of_error(cls, error: EngageError, **given: Any) -> Self:
        """Fill the shape from an error."""
        kind = next(kind for known, kind in KINDS if isinstance(error, known))
        if isinstance(error, SourceError | RosterError):
            kind = str(error.kind)
        retry_at = error.retry_at if isinstance(error, SourceError) else None
        return cls.of(kind=kind, message=describe_error(error), retry_at=retry_at, **given)


FailureOrNone = Annotated[
    Failure | None, Shown(of=lambda report: None if report.error is None else Failure.of_error(report.error))
]


class SyncFailure(Failure, Outcome):
    """A sync that failed."""

    dry_run: bool


class Notice(Shape, core=incidents.Notice, fields="kind topic since title"):
    """A message to the admins."""


class RosterRound(
    Outcome,
    core=RosterReport,
    fields="at guild_id asked unknown left returned never_left contradicted unconfirmed next_at",
):
    """What a roster check did, or would do; members are listed by id."""

    error: FailureOrNone


class Run(Outcome):
    """What a run found due and did."""

    at: datetime
    slot: datetime | None
    sync: Synced | None
    error: FailureOrNone
    settled: Sequence[date]
    pending: Sequence[Pending]
    delivered: Sequence[Notice]
    undelivered: Sequence[Notice]
    roster: RosterRound | None = None


class Need(Shape):
    """What is wrong, and what to do about it."""

    what: str
    advice: Annotated[str, Shown(of=advice_of)]


class FailureRun(Shape):
    """Failures in a row."""

    since: datetime
    kind: str
    message: Annotated[str, Shown(of=describe_failures)]


class Trouble(Shape):
    """An ongoing trouble."""

    topic: str
    since: datetime
    title: str
    why: Annotated[str, Shown(of=why_of)]
    meaning: str


class Wait(Shape, core=slots.Wait, fields="kind until"):
    """A wait that the source asked for."""

    kind: str


class LastSlot(Shape, core=slots.SlotEnd, fields="slot outcome at"):
    """How the last slot ended."""

    outcome: str


class Lease(Shape, core=posting.Lease, fields="taken_at until"):
    """Since when a process has been at work, and until when at most."""


class OwnedLease(Lease, core=posting.Lease, fields="owner"):
    """A lease, with its owner."""


class Channel(Shape, core=incidents.ChannelState, fields="channel dead_since not_before"):
    """An alert channel to which nothing is sent at present."""

    why: Annotated[str, Shown(of=why_shut)]


def _accounts(status: Any) -> Mapping[AccountStatus, int]:
    return {kind: status.tally.accounts.get(kind, 0) for kind in get_args(AccountStatus)}


class Contradiction(Shape, core=roster.Contradiction, fields="member_id noted_as_left=is_left"):
    """A member whose presence on the roster contradicts what was recorded by hand."""


class Roster(Shape):
    """The state of the roster, which says who is on the server."""

    next_at: datetime | None
    failing: Annotated[FailureRun | None, Shown(of="failure_run")]
    contradictions: Sequence[Contradiction]


class Status(Shape):
    """The state of the system."""

    healthy: Annotated[bool, Shown(of="is_healthy")]
    needs: Annotated[Sequence[Need], Shown("What needs attention, most urgent first.")]
    at: datetime
    attended: Annotated[bool, Shown("Whether something has run recently.", of="is_attended")]
    good_at: Annotated[datetime | None, Shown("When the last good sync began to read.")]
    board_id: Annotated[
        str | None, Shown("The board that the points come from: source and guild. Null before the first sync.")
    ]
    failures: Annotated[
        int, Shown("Failed syncs in a row.", of=lambda status: status.failure_run.count if status.failure_run else 0)
    ]
    failing: Annotated[FailureRun | None, Shown(of="failure_run")]
    troubles: Sequence[Trouble]
    wait: Wait | None
    pending: Annotated[Sequence[Pending], Shown("Days that are over but not settled yet.")]
    last_slot: LastSlot | None
    lease: Lease | None
    channels: Annotated[Sequence[Channel], Shown(of="shut_channels")]
    next_sync_at: datetime
    next_settlement_at: datetime
    members: Annotated[int, Shown(of="tally.members")]
    accounts: Annotated[Mapping[str, int], Shown("How many accounts have each status.", of=_accounts)]
    never_seen: Annotated[int, Shown("Linked accounts that no board has ever shown.", of="tally.never_seen")]
    entries: Annotated[int, Shown(of="tally.entries")]
    store_bytes: Annotated[int | None, Shown(of="tally.size_bytes")]
    version: str | None
    roster: Annotated[Roster | None, Shown(of=lambda status: status.roster if status.roster.is_known else None)] = None


class AlertChannel(Shape):
    """An alert channel, the last notice it accepted, and those it has not accepted yet."""

    channel: str
    sent_at: datetime | None
    topic: str | None
    undelivered: Sequence[Notice]


class FullStatus(Status):
    """The state of the system, with its store and the lease's owner."""

    lease: OwnedLease | None
    alert_channels: Annotated[Sequence[AlertChannel], Shown(of="last_sent")]
    store: Annotated[str, Shown(of="tally.store")]


class TriedChannel(Shape):
    """Whether a channel accepted a test notice, and why not."""

    channel: str
    taken: bool
    why: str | None


class Tried(Shape):
    """Which channels accepted a test notice."""

    channels: Sequence[TriedChannel]


class SettingShown(Shape, core=InForce, fields="variable value origin"):
    """A setting in force, and what set it; secrets are masked."""


class SettingsShown(Shape):
    """The settings in force, and the variables that are set but unknown."""

    settings: Sequence[SettingShown]
    unknown: Sequence[str]


class Breach(Shape, core=audit.Breach, fields="check subject found expected message"):
    """Something in the store that is not as it should be."""


class Audited(Shape, core=audit.Audit, fields="members accounts entries"):
    """How much was checked."""


class Change(Shape, core=audit.Breach, fields="check subject what before=found after=expected"):
    """Something that was rebuilt."""


class Audit(Shape):
    """What an audit found, and what was rebuilt before it."""

    healthy: Annotated[bool, Shown(of="is_healthy")]
    breaches: Sequence[Breach]
    audited: Annotated[Audited, Shown(of=lambda audit: audit)]
    rebuilt: Sequence[Change] | None = None


class Clock(Outcome, core=ClockReport, fields="at syncs days accounts awards others"):
    """The outcome of a decision about the clock."""

    late: Sequence[StreakChange]


class BadRow(Shape):
    """A row that cannot be used."""

    line: int
    message: Annotated[str, Shown(of=lambda row: describe_error(row.error))]


class Reconciled(Outcome, core=ReconcileReport, fields="left returned"):
    """Who left and who is back, by a list of who is on the server."""

    strangers: Annotated[int, Shown("How many ids on the list are linked to nobody.")]
    distrusted: Annotated[str | None, Shown("Why --accept-departures is needed.")]


class Imported(Outcome):
    """The outcome of importing a file."""

    rows: int
    enrolled: int
    linked: int
    updated: int
    unchanged: int
    relinked: Annotated[
        Sequence[str], Shown("Members linked to another account, because no board ever showed the old one.")
    ]
    bad: Sequence[BadRow]
