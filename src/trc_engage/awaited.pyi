"""The methods of `AsyncEngage`; written by `python -m support.faces` in `tests`, and not by hand."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from .core.audit.model import Audit, Repair
from .core.days import Excusal
from .core.errors import LinkTaken
from .core.membership import Check, MembershipEvent
from .core.model import Entry
from .core.reports import (
    Enrollment,
    ExcuseReport,
    Explanation,
    Found,
    MemberDay,
    Rank,
    Receipt,
    ReconcileReport,
    RosterReport,
    RunReport,
    SettleReport,
    Standing,
    SyncReport,
)
from .core.story import Story, Why
from .core.streaks import Milestone
from .engage import Engage
from .usecases.members import Newcomer
from .usecases.runs import Status

class Awaited:
    _engage: Engage

    def __init__(self, engage: Engage) -> None: ...
    async def _run(self, call: Callable[[], Any]) -> Any: ...
    async def standing(self, member_id: str) -> Standing:
        """Return where a member stands, the streak included."""
    async def milestones(self, member_id: str) -> Sequence[Milestone]:
        """Return the milestones that the member's longest streak has reached, lowest first (R17)."""
    async def days(self, member_id: str, first_day: date, last_day: date) -> Sequence[MemberDay]:
        """Return what each day meant for the member's streak, and why; 1,000 days at most."""
    async def explain(self, member_id: str, first_day: date, last_day: date) -> Explanation:
        """Return what `standing` and `days` say, with the entries that count for one of the days.

        What was booked late for one of them stands anywhere among a member's newest 10,000 entries.
        """
    async def members(self, *, after: str = "", limit: int | None = None) -> Sequence[Standing]:
        """Return where members stand, by member id, without the streaks: everybody, or a page of those beyond an id."""
    async def never_seen(self) -> Sequence[str]:
        """Return the members, by id, whose linked account no board has ever shown: perhaps the id is wrong (R31)."""
    async def find(self, text: str, *, limit: int = 25) -> Sequence[Found]:
        """Return who has this id or Discord id, then who has it in the name: each word of it begins one of the name.

        Case and width of letters make no difference. Who is hidden or forgotten is not found by name. Ask before you
        show anybody: may the one who searches see this member?
        """
    async def presence(self, member_id: str) -> Check | None:
        """Return what the roster last told of the member's linked account; None if it told nothing (R25)."""
    async def resolve(self, text: str) -> str:
        """Return the id of the one member with this id, this Discord id, this name, or its words' beginnings.

        Raises `UnknownMember`, and `AmbiguousMember` where several could be meant.
        """
    async def history(
        self, member_id: str, *, limit: int = 50, before: int | None = None, source: str | None = None
    ) -> Sequence[Entry]:
        """Return a member's entries, newest first: those below position `before`, and of one source; 10,000 at most."""
    async def events(
        self, member_id: str | None = None, *, after: int = 0, limit: int = ...
    ) -> Sequence[MembershipEvent]:
        """Return what was done about a member or, for None, about everyone: what, when, by whom and why (R26).

        Oldest first, above number `after`. Reasons may be read by the member, notes by admins alone.
        """
    async def feed(self, *, after: int = 0, limit: int = 500) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first.

        Who has seen a position never later finds a new entry at or below it (R23): keep the last
        position you handled, and ask for what comes after.
        """
    async def milestones_reached(
        self, *, after: int = 0, thresholds: Collection[int] | None = None, limit: int = 500
    ) -> Sequence[Milestone]:
        """Return who reached which milestones, in the order in which that was recorded, beyond a number (R17a).

        Each is told once and stands for ever, whatever later becomes of the streak: keep the last number that you
        handled, and ask for what comes after. The thresholds may be others than this object's own.
        """
    async def story(self, member_id: str) -> Story:
        """Return the life of the member's streak: how it grew, when it ended, and what changed it afterwards (R28)."""
    async def why(self, member_id: str, *, day: date | None = None, entry: int | None = None) -> Why:
        """Return what happened on a day, or by an entry, and why; without either, of the last change that hurt.

        Raises `InvalidValue` for an entry that is not the member's.
        """
    async def whys(self, member_id: str, first_day: date, last_day: date) -> Sequence[Why]:
        """Return what happened on each of some days, oldest first, and why; 1,000 days at most."""
    async def excusals(self, member_id: str | None = None) -> Sequence[Excusal]:
        """Return how days were excused and required again, oldest first (R13a).

        All of them, or everybody's and one member's.
        """
    async def leaderboard(self, *, month: date | None = None, limit: int = 25, present: bool = False) -> Sequence[Rank]:
        """Return the top of the visible members by points, of all time or of the UTC month that holds `month`.

        Here and below `present` leaves those out who are noted as having left Discord.
        """
    async def longest_streaks(self, *, limit: int = 25, present: bool = False) -> Sequence[Rank]:
        """Return the visible members with the longest current streaks."""
    async def rank(self, member_id: str, *, month: date | None = None, present: bool = False) -> Rank:
        """Return a member's own rank, also outside the top and if hidden."""
    async def today(self) -> date:
        """Return which UTC day it is, by the clock."""
    async def enroll(
        self,
        member_id: str,
        *,
        discord_id: str | None = None,
        name: str | None = None,
        by: str | None = None,
        reason: str | None = None,
        note: str | None = None,
    ) -> Enrollment:
        """Enroll a member, or bring name and link up to date; raises `LinkTaken` (R7).

        Here and below `by`, `reason` and `note` say on record who did it and why (R26): the member may read the
        reason, but no note. Name nobody in them.
        """
    async def enroll_all(
        self,
        newcomers: Sequence[Newcomer],
        *,
        skip_bad: bool = False,
        dry_run: bool = False,
        by: str | None = None,
        reason: str | None = None,
    ) -> Sequence[Enrollment | LinkTaken]:
        """Enroll many in one posting; if any link is taken nothing is written, unless `skip_bad`.

        A dry run writes nothing and returns what would become of each.
        """
    async def link(
        self,
        member_id: str,
        discord_id: str,
        *,
        by: str | None = None,
        reason: str | None = None,
        note: str | None = None,
    ) -> Enrollment:
        """Link a Discord id to a member; raises `UnknownMember` and `LinkTaken` (R7)."""
    async def unlink(
        self, member_id: str, *, by: str | None = None, reason: str | None = None, note: str | None = None
    ) -> Enrollment:
        """Close the member's account; the points stay (R7). Raises `UnknownMember`."""
    async def leave(
        self, member_id: str, *, by: str | None = None, reason: str | None = None, note: str | None = None
    ) -> Enrollment:
        """Note that the member left Discord (R6); raises `UnknownMember` and `NotLinked`."""
    async def leave_all(
        self, member_ids: Sequence[str], *, by: str | None = None, reason: str | None = None, note: str | None = None
    ) -> Sequence[Enrollment]:
        """Note the same of many, all or none."""
    async def rejoin(
        self,
        member_id: str,
        *,
        never_left: bool = False,
        by: str | None = None,
        reason: str | None = None,
        note: str | None = None,
    ) -> Enrollment:
        """Note that the member is back on Discord (R6); raises `UnknownMember` and `NotLinked`.

        With `never_left` the last leave was a mistake: the account is as if it had never left, also after a return was
        noted (R6a). Then `by` and `reason` are needed.
        """
    async def rejoin_all(
        self,
        member_ids: Sequence[str],
        *,
        never_left: bool = False,
        by: str | None = None,
        reason: str | None = None,
        note: str | None = None,
    ) -> Sequence[Enrollment]:
        """Note the same of many, all or none."""
    async def reconcile(
        self,
        present: Iterable[str],
        *,
        dry_run: bool = False,
        accept_departures: bool = False,
        by: str | None = None,
        reason: str | None = None,
        note: str | None = None,
    ) -> ReconcileReport:
        """Note who left and who is back by a list of all Discord ids that are on the server (R6, R25).

        If 5 or more and more than 10 % of the members are not on it, it is refused as `RosterError`, unless
        `accept_departures`, with `by` and `reason`.
        """
    async def sync(
        self,
        *,
        dry_run: bool = False,
        fresh: bool = False,
        accept_drops: bool = False,
        rebase_drops: bool = False,
        adopt_board: bool = False,
        by: str | None = None,
        reason: str | None = None,
        shown: SyncReport | None = None,
    ) -> SyncReport:
        """Read the board and post what it means (R1-R7, R10, R19, R21, R22, R24).

        Within five minutes of the last good reading it answers from that one, unless `fresh`. A board
        that would lower many members is refused, unless an admin decides: `accept_drops` deducts,
        `rebase_drops` keeps the points. Another board than the last is refused unless `adopt_board`, which keeps
        the points and counts on from the new one. `by` and `reason` say who decided and why; to adopt
        they are needed. `shown` is the dry run that was decided on: if more would be lost by now, nothing is
        done. Raises `SourceError`, `ClockWentBack`, `SourceMissing`.
        """
    async def run_due(self) -> RunReport:
        """Do what is due, once, whoever calls: the slot's sync, the settlement, notices to admins (R15, R18, R20).

        For a daemon, cron, a worker of the web app, several of them at the same instant. What fails is in the
        report; raises `LedgerFailed` only.
        """
    async def check_roster(
        self,
        *,
        dry_run: bool = False,
        accept_departures: bool = False,
        by: str | None = None,
        reason: str | None = None,
    ) -> RosterReport:
        """Ask the roster for those who are due, and note who left and who is back (R25); it takes a minute at most.

        If too many are gone at once nothing is noted, unless an admin decides: `accept_departures`, with who and why.
        What fails is in the report. Raises `RosterMissing`, `ClockWentBack`.
        """
    async def status(self) -> Status:
        """Return how the system does: what was read last, what fails, what waits, who is at work."""
    async def audit(self) -> Audit:
        """Look at every invariant of the store, also while others write to it; changes nothing.

        Raises `InvalidValue` for a ledger of your own that has nothing for the doctor.
        """
    async def repair(self) -> Repair:
        """Rebuild balances and streaks where they differ from the entries and the evidence, and audit again."""
    async def award(
        self,
        member_id: str,
        *,
        source: str,
        points: int,
        key: str,
        at: datetime,
        counts_as_activity: bool = True,
        by: str | None = None,
    ) -> Receipt:
        """Award points for something that happened at `at`, once for its key (R8).

        `at` may lie in the past, and up to two minutes ahead; its UTC day becomes active, unless the award is no action
        of the member, such as a bonus (`counts_as_activity=False`, R17a). Raises `UnknownMember`, `KeyReused` and, if
        the award with this key was taken back, `Reversed`.
        """
    async def reverse(self, key: str, *, reason: str, by: str) -> Receipt:
        """Take the award with this key back, and its activity with it (R8, R11); raises `UnknownAward`."""
    async def adjust(self, member_id: str, *, points: int, key: str, reason: str, by: str) -> Receipt:
        """Add or take points by hand, once for its key (R8); raises `UnknownMember` and `KeyReused`."""
    async def settle(self, *, accept_quiet: date | None = None) -> SettleReport:
        """Settle every day that can be, oldest first, and tell which are pending and why (R15).

        `accept_quiet` is a day on which nobody's XP rose and an admin says that this is so (R15a).
        Raises `ClockWentBack`.
        """
    async def excuse(
        self, *days: date, reason: str, by: str, member_id: str | None = None, note: str | None = None
    ) -> ExcuseReport:
        """Excuse weekdays, settled or not: they break nobody's streak, or not one member's (R13, R13a, R16).

        The member may read the reason; the note is for admins. Raises `UnknownMember`.
        """
    async def unexcuse(
        self, *days: date, by: str, reason: str | None = None, member_id: str | None = None, note: str | None = None
    ) -> ExcuseReport:
        """Require excused days again (R13, R13a, R16); raises `UnknownMember`."""
    async def hide(
        self, member_id: str, *, by: str | None = None, reason: str | None = None, note: str | None = None
    ) -> Enrollment:
        """Leave a member out of leaderboards, who still sees the own rank; raises `UnknownMember`."""
    async def show(
        self, member_id: str, *, by: str | None = None, reason: str | None = None, note: str | None = None
    ) -> Enrollment:
        """Show a hidden member in leaderboards again; raises `UnknownMember`."""
    async def forget(
        self, member_id: str, *, by: str | None = None, reason: str | None = None, note: str | None = None
    ) -> Enrollment:
        """Put a tombstone where name and Discord ids were; entries and sums stay (R9). Raises `UnknownMember`.

        What was said before of the member's links and leaves goes too; what is said of this stays.
        """
